# shellcheck shell=bash
# What the measurements of whole servers share: private instances of Malote and Postfix in a folder of
# their own, their processors' time, and the record. To be sourced by a script that has set `root`; it
# makes `work`, and everything ends with the script.

fail() { echo "${0##*/}: $*" >&2; exit 1; }

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
tick=$(getconf CLK_TCK)
work=
pids=()
declare -A ports servers

# Tools that must be there.
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || fail "$tool is missing; apt-get install postfix openssl python3 strace"
    done
}

# The server and the load generators, built; a folder on a disk; a certificate.
prepare() {
    need openssl python3
    "$java" -version 2>&1 | grep -q '"25' || fail "set JAVA_HOME to a JDK 25"
    "$root/malote" --version >/dev/null || fail "Malote does not build"
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/malote-bench-XXXXXX")
    trap 'cleanup || true' EXIT
    chmod 755 "$work"
    [[ $(stat -f -c %T "$work") != tmpfs ]] ||
        fail "$work is in memory; set TMPDIR to a folder on a disk"
    certificate mx ec -pkeyopt ec_paramgen_curve:prime256v1
}

cleanup() {
    local master
    for master in "$work"/postfix*/queue/pid/master.pid; do
        [[ -e $master ]] && kill "$(tr -d ' ' <"$master")" 2>/dev/null
    done
    ((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null
    wait
    rm -rf "$work"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

await() { # what, command: waits until the command succeeds
    local what=$1 deadline=$((SECONDS + 300))
    shift
    until "$@" 2>/dev/null; do
        ((SECONDS < deadline)) || fail "$what did not happen within 300 s"
        sleep 0.05
    done
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A chain and a key for mx.test, named by what `openssl req -newkey` takes and its options.
certificate() { # name, kind, options
    openssl req -x509 -newkey "$2" "${@:3}" -nodes -days 30 -subj /CN=mx.test \
        -addext subjectAltName=DNS:mx.test -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}

start_malote() { # name, route, lines of [queue], lines of [tls] with its certificates, more tables
    local name=$1 via=$2 queue=${3:-} base=$work/$1
    local tls=${4:-"certificates = [{ chain = \"$work/mx.pem\", key = \"$work/mx.key\" }]"}
    mkdir -p "$base"
    ports[$name]=${ports[$name]:-$(free_port)}
    cat >"$base/malote.toml" <<END
hostname = "malote.test"
state = "$base/state"
[[listener]]
address = "127.0.0.1:${ports[$name]}"
[tls]
$tls
[admin]
enabled = false
[limits]
sessions-max = 20000
[queue]
$queue
[[route]]
domain = "sink.test"
via = "$via"
${5:-}
END
    "$root/malote" serve --config "$base/malote.toml" >"$base/log" 2>&1 &
    servers[$name]=$!
    pids+=($!)
    await "the start of Malote" is_open "${ports[$name]}"
}

stop_malote() { # name
    kill "${servers[$1]}"
    wait "${servers[$1]}" || true
    rm -rf "${work:?}/$1"
}

start_postfix() { # name, what its smtpd does with recipients first, where mail goes, its certificate
    local name=$1 restriction=$2 next=${3:-127.0.0.1:9} certificate=${4:-mx} base=$work/$1
    need postfix
    [[ $(id -u) = 0 ]] || fail "Postfix needs root; run this as root"
    mkdir -p "$base/queue" "$base/data"
    chown postfix "$base/data"
    ports[$name]=$(free_port)
    # Postfix's defaults, but for what a private instance on loopback needs.
    cat >"$base/main.cf" <<END
compatibility_level = 3.6
queue_directory = $base/queue
data_directory = $base/data
maillog_file = $base/maillog
maillog_file_prefixes = $work
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
transport_maps = inline:{sink.test=smtp:[${next%:*}]:${next#*:}}
smtpd_tls_cert_file = $work/$certificate.pem
smtpd_tls_key_file = $work/$certificate.key
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtpd_recipient_restrictions = $restriction permit_mynetworks, reject
END
    {
        echo "127.0.0.1:${ports[$name]} inet n - n - - smtpd"
        # The daemons that a relay uses, out of their chroots.
        grep -E '^(pickup|cleanup|qmgr|tlsmgr|rewrite|bounce|defer|trace|verify|flush|proxymap|smtp|relay|showq|error|retry|anvil|scache|postlog) ' \
            /etc/postfix/master.cf | grep -v inet | awk '{ $5 = "n"; print }'
    } >"$base/master.cf"
    postfix -c "$base" start >"$base/start.log" 2>&1 ||
        { cat "$base/start.log" >&2; fail "Postfix does not start"; }
    await "the start of Postfix" is_open "${ports[$name]}"
    servers[$name]=$(tr -d ' ' <"$base/queue/pid/master.pid")
}

# nginx's mail proxy: C and OpenSSL, without a queue.
start_nginx() { # name, certificate
    local name=$1 base=$work/$1 module
    module=$(find /usr/lib/nginx /usr/lib64/nginx -name ngx_mail_module.so 2>/dev/null | head -1 || true)
    command -v nginx >/dev/null && [[ -n $module ]] ||
        fail "nginx or its mail module is missing; apt-get install nginx-light libnginx-mod-mail"
    mkdir -p "$base"
    ports[$name]=$(free_port)
    cat >"$base/nginx.conf" <<END
load_module $module;
pid $base/pid;
error_log $base/error.log;
worker_processes 2;
events { worker_connections 4096; }
mail {
    server_name mx.test;
    auth_http 127.0.0.1:9/;
    ssl_certificate $work/$2.pem;
    ssl_certificate_key $work/$2.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets on;
    server { listen 127.0.0.1:${ports[$name]}; protocol smtp; smtp_auth none; starttls on; }
}
END
    nginx -e "$base/error.log" -c "$base/nginx.conf" -g 'daemon off;' 2>"$base/log" &
    servers[$name]=$!
    pids+=($!)
    await "the start of nginx" is_open "${ports[$name]}"
}

# utime+stime of a process, with the children that it has waited for, and those that live; in ticks.
cpu() {
    local pid=$1 sum child
    sum=$(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 + $14 + $15 }')
    for child in $(cat /proc/"$pid"/task/*/children 2>/dev/null); do
        sum=$((sum + $(cpu "$child" 2>/dev/null || echo 0)))
    done
    echo "$sum"
}

median() { tr ',' '\n' <<<"$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

describe_host() {
    local model
    model=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)
    echo "$(nproc) CPUs (${model:-$(uname -m)}), Linux $(uname -r | cut -d- -f1), $(stat -f -c %T "$work")"
}

describe_jvm() { "$java" -version 2>&1 | sed -n 2p; }

describe_postfix() { postconf -d mail_version | sed 's/.*= //'; }

# The members of a line of history that each has: what, when, of which commit, where. `load` is the
# load average of the last minute at the start: what else ran. A commit made meanwhile is not what was measured.
load_at_start=$(cut -d' ' -f1 /proc/loadavg)
commit_at_start=$(git -C "$root" rev-parse --short HEAD)
history_head() { # kind, name
    printf '"%s":"%s","date":"%s","commit":"%s","host":"%s","load":%s,"jvm":"%s"' "$1" "$2" \
        "$(date -u +%FT%TZ)" "$commit_at_start" "$(describe_host)" "$load_at_start" \
        "$(describe_jvm)"
}

# Figures are of a commit, so what is measured must be one. The history itself grows.
require_clean_tree() {
    [[ -z $(git -C "$root" status --porcelain -- . ':!benchmarks/history/*.jsonl') ]] ||
        fail "there are changes that are not committed; commit them, or run with --no-history"
}

# A line that lacks what benchmarks/history/README.md asks for is printed, not recorded.
record() { # file, line
    python3 - "$2" <<'END' || { printf '%s\n' "$2" >&2; fail "the line above is not recorded"; }
import json, sys
line = json.loads(sys.argv[1])
lacking = [name for name in ("date", "commit", "host", "load", "jvm", "flags") if line.get(name) in (None, "")]
if "benchmark" not in line and "table" not in line:
    lacking.append("benchmark")
if lacking:
    sys.exit("a line of history needs " + ", ".join(lacking) + "; see benchmarks/history/README.md")
END
    mkdir -p "$root/benchmarks/history"
    echo "$2" >>"$root/benchmarks/history/$1.jsonl"
}
