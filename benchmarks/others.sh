# shellcheck shell=bash
# The other servers that Malote is compared with, each private to a run: unpacked or built in a folder that
# outlives the run, configured in the run's own. To be sourced behind servers.sh. Each is as it comes, but for
# what the job needs: mail for hold.test stays in its queue, mail for discard.test is forgotten, and mail for
# sink.test is relayed to the sink.

haraka_version=3.3.4
others=${XDG_CACHE_HOME:-$HOME/.cache}/malote-benchmarks
exim=$others/debian/usr/sbin/exim4
chasquid=$others/debian/usr/bin/chasquid
haraka=$others/haraka-$haraka_version/node_modules/.bin/haraka
floor=$others/floor

# Exim excludes Postfix, as packages: so it is unpacked, not installed.
unpack_others() { # the servers that are wanted
    mkdir -p "$others"
    if [[ " $* " = *" exim "* && ! -x $exim || " $* " = *" chasquid "* && ! -x $chasquid ]]; then
        need dpkg-deb
        (
            cd "$others"
            apt-get -q download exim4-daemon-light chasquid
            for package in exim4-daemon-light_*.deb chasquid_*.deb; do dpkg-deb -x "$package" debian; done
        ) >"$others/log" 2>&1 || { cat "$others/log" >&2; fail "Debian's Exim and chasquid cannot be unpacked"; }
    fi
    if [[ " $* " = *" haraka "* && ! -x $haraka ]]; then
        command -v npm >/dev/null || fail "npm is missing; apt-get install npm (Node 20 or later)"
        (mkdir -p "${haraka%/node_modules*}" && cd "${haraka%/node_modules*}" &&
            npm install --no-fund --no-audit --omit=dev --omit=optional "Haraka@$haraka_version") \
            >"$others/log" 2>&1 || { cat "$others/log" >&2; fail "Haraka cannot be installed"; }
    fi
    if [[ " $* " = *" floor "* ]] && [[ ! -x $floor || $root/benchmarks/floor.c -nt $floor ]]; then
        command -v gcc >/dev/null || fail "gcc is missing; apt-get install gcc libssl-dev"
        gcc -O2 -Wall -Wextra -o "$floor" "$root/benchmarks/floor.c" -lssl -lcrypto ||
            fail "the floor does not build; apt-get install gcc libssl-dev"
    fi
}

describe_others() {
    printf '"exim":"%s","haraka":"%s","chasquid":"%s","nginx":"%s","openssl":"%s","node":"%s"' \
        "$(version_of exim4-daemon-light)" "$haraka_version" "$(version_of chasquid)" \
        "$(nginx -v 2>&1 | sed 's/.*nginx.//')" "$(openssl version | cut -d' ' -f2)" "$(node --version 2>/dev/null)"
}

version_of() { # a package; nothing when it is not there
    local file
    for file in "$others/$1"_*.deb; do [[ ! -e $file ]] || basename "$file" | cut -d_ -f2; done
}

# ---- control groups: the processor's time of a server with all that it ever started ----

group_root=
home_group=
make_groups() {
    local unified account
    unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    account=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpuacct(,|$)/ { print $2; exit }' /proc/mounts)
    for home_group in $unified $account; do
        group_root=$home_group/malote-bench-$$
        mkdir "$group_root" 2>/dev/null && [[ -e $group_root/cpu.stat || -e $group_root/cpuacct.usage ]] && return
        rmdir "$group_root" 2>/dev/null || true
    done
    fail "no control group can be made (cgroup2, or cgroup with cpuacct); run this as root on a host that has them"
}

enter_group() { # name: what is started from now on is of it
    mkdir -p "$group_root/$1"
    echo "$BASHPID" >"$group_root/$1/cgroup.procs"
}

leave_group() { echo "$BASHPID" >"$home_group/cgroup.procs"; }

group_nanos() { # name
    local group=$group_root/$1
    if [[ -e $group/cpuacct.usage ]]; then
        cat "$group/cpuacct.usage"
    else
        echo "$(awk '$1 == "usage_usec" { print $2 }' "$group/cpu.stat")000"
    fi
}

# Each process's share of the pages that it has: they add up.
group_kib() { # name
    local pid
    while read -r pid; do cat "/proc/$pid/smaps_rollup" 2>/dev/null || true; done <"$group_root/$1/cgroup.procs" |
        awk '$1 == "Pss:" { sum += $2 } END { print sum + 0 }'
}

end_groups() {
    local group pid
    [[ -n $group_root ]] || return 0
    leave_group
    for group in "$group_root"/*/; do
        while read -r pid; do kill "$pid" 2>/dev/null; done <"$group/cgroup.procs"
    done
    sleep 2
    for group in "$group_root"/*/; do
        while read -r pid; do kill -9 "$pid" 2>/dev/null; done <"$group/cgroup.procs"
    done
    sleep 1
    rmdir "$group_root"/*/ "$group_root"
}

# ---- the servers ----

start_floor() { # name, certificate
    ports[$1]=$(free_port)
    "$floor" "${ports[$1]}" "$work/$2.pem" "$work/$2.key" 2>"$work/$1.log" &
    servers[$1]=$!
    pids+=($!)
    await "the start of the floor" is_open "${ports[$1]}"
}

start_exim() { # name, certificate, port of the sink
    local name=$1 base=$work/$1
    mkdir -p "$base/spool" "$base/log"
    ports[$name]=$(free_port)
    # Its user must exist: in this process's view of the host it does.
    { cat /etc/passwd; echo "Debian-exim:x:9901:9901::/nonexistent:/usr/sbin/nologin"; } >"$base/passwd"
    { cat /etc/group; echo "Debian-exim:x:9901:"; } >"$base/group"
    cp "$work/$2.pem" "$base/mx.pem"
    cp "$work/$2.key" "$base/mx.key"
    chown -R 9901:9901 "$base/spool" "$base/log" "$base/mx.key"
    cat >"$base/exim.conf" <<END
exim_path = $exim
spool_directory = $base/spool
split_spool_directory = true
log_file_path = $base/log/%slog
pid_file_path = $base/exim.pid
primary_hostname = exim.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${ports[$name]}
smtp_accept_max = 2000
smtp_connect_backlog = 1000
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = *
tls_resumption_hosts = *
tls_certificate = $base/mx.pem
tls_privatekey = $base/mx.key
acl_smtp_rcpt = rcpt
deliver_drop_privilege = true
keep_environment =
begin acl
rcpt:
  discard domains = discard.test
  accept domains = hold.test
         control = queue_only
  accept
begin routers
sink:
  driver = manualroute
  domains = sink.test
  transport = smtp
  route_list = * 127.0.0.1
  self = send
begin transports
smtp:
  driver = smtp
  port = $3
END
    unshare --mount bash -c 'mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group &&
        exec "$2" -C "$1/exim.conf" -bdf' exim "$base" "$exim" >"$base/out" 2>&1 &
    servers[$name]=$!
    pids+=($!)
    await "the start of Exim" is_open "${ports[$name]}"
}

start_haraka() { # name, certificate, port of the sink
    local name=$1 base=$work/$1
    mkdir -p "$base/config" "$base/plugins" "$base/queue"
    ports[$name]=$(free_port)
    echo "listen=127.0.0.1:${ports[$name]}" >"$base/config/smtp.ini"
    printf 'key=%s\ncert=%s\n' "$work/$2.key" "$work/$2.pem" >"$base/config/tls.ini"
    printf 'tls\njob\n' >"$base/config/plugins"
    echo haraka.test >"$base/config/me"
    # Each held message is tried once, and then again in an hour.
    printf 'temp_fail_intervals=1h\n' >"$base/config/outbound.ini"
    printf '[main]\nlevel=WARN\n' >"$base/config/log.ini"
    # Without a whole one in this folder, 3.3 greets nobody.
    cp "${haraka%/.bin/haraka}/Haraka/config/connection.ini" "$base/config/"
    cat >"$base/plugins/job.js" <<END
exports.hook_rcpt = function (next, connection) {
    connection.relaying = true;
    next(OK);
};
exports.hook_queue_outbound = function (next, connection) {
    if (connection.transaction.rcpt_to[0].host === 'discard.test') return next(OK);
    next();
};
exports.hook_get_mx = function (next, hmail, domain) {
    if (domain === 'sink.test') return next(OK, [{ exchange: '127.0.0.1', port: $3, priority: 0 }]);
    next(DENYSOFT, 'held');
};
END
    "$haraka" -c "$base" >"$base/log" 2>&1 &
    servers[$name]=$!
    pids+=($!)
    await "the start of Haraka" is_open "${ports[$name]}"
}

# For sessions alone: it takes mail for its own users only, and hands it to a program.
start_chasquid() { # name, certificate
    local name=$1 base=$work/$1
    mkdir -p "$base/conf/certs/mx.test" "$base/conf/domains/hold.test" "$base/data"
    ports[$name]=$(free_port)
    cp "$work/$2.pem" "$base/conf/certs/mx.test/fullchain.pem"
    cp "$work/$2.key" "$base/conf/certs/mx.test/privkey.pem"
    cat >"$base/conf/chasquid.conf" <<END
hostname: "chasquid.test"
smtp_address: "127.0.0.1:${ports[$name]}"
submission_address: "127.0.0.1:$(free_port)"
data_dir: "$base/data"
mail_delivery_agent_bin: "/bin/true"
mail_log_path: "$base/mail.log"
END
    "$chasquid" -config_dir "$base/conf" >"$base/log" 2>&1 &
    servers[$name]=$!
    pids+=($!)
    await "the start of chasquid" is_open "${ports[$name]}"
}
