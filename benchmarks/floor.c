// The floor for SMTP over TLS: one process, epoll and OpenSSL, that speaks enough of the protocol to take
// messages and forgets them. No name is looked up, no address parsed, nothing is written to a disk. What an
// MTA costs above it is what the MTA does; what it costs below it is a better TLS library.
//
//   floor PORT CHAIN KEY
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 65536, LINE_BYTES = 1024, OUT_BYTES = 4096, EVENTS = 256 };

enum state { COMMAND, HANDSHAKE, DATA, ENDING };

struct session {
    int fd;
    enum state state;
    SSL *ssl;
    char *line;       // what has come of a command, while it is not whole
    size_t length;    // of the line, in a command or in a message
    char first;       // of a message's line
};

static SSL_CTX *context;
static int poll_fd;
static char in[READ_BYTES];
static char out[OUT_BYTES];
static size_t pending;

static void die(const char *what) {
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void end(struct session *s) {
    if (s->ssl) {
        SSL_shutdown(s->ssl);
        SSL_free(s->ssl);
    }
    close(s->fd);
    free(s->line);
    free(s);
}

static void say(const char *reply) {
    size_t length = strlen(reply);
    if (pending + length <= OUT_BYTES) {
        memcpy(out + pending, reply, length);
        pending += length;
    }
}

// Replies are short: a socket that takes none of one has a peer that does not read, and is ended.
static int flush_replies(struct session *s) {
    size_t length = pending;
    pending = 0;
    if (!length) return 1;
    if (s->ssl) return SSL_write(s->ssl, out, (int) length) > 0;
    return write(s->fd, out, length) == (ssize_t) length;
}

static int is(const char *line, size_t length, const char *verb) {
    size_t wanted = strlen(verb);
    return length >= wanted && !strncasecmp(line, verb, wanted);
}

static void on_command(struct session *s, const char *line, size_t length) {
    if (is(line, length, "EHLO")) {
        say(s->ssl ? "250-floor.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
                   : "250-floor.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n");
    } else if (is(line, length, "STARTTLS") && !s->ssl) {
        say("220 go ahead\r\n");
        s->state = HANDSHAKE;
    } else if (is(line, length, "DATA")) {
        say("354 go ahead\r\n");
        s->state = DATA;
        s->length = 0;
    } else if (is(line, length, "QUIT")) {
        say("221 bye\r\n");
        s->state = ENDING;
    } else if (is(line, length, "MAIL") || is(line, length, "RCPT") || is(line, length, "RSET")) {
        say("250 ok\r\n");
    } else {
        say("500 what\r\n");
    }
}

// Returns what is left of the octets, once a command is whole.
static const char *take_command(struct session *s, const char *at, const char *limit) {
    const char *newline = memchr(at, '\n', (size_t) (limit - at));
    size_t length = (size_t) ((newline ? newline + 1 : limit) - at);
    if (newline && !s->length) {
        on_command(s, at, length);
        return at + length;
    }
    if (!s->line) s->line = malloc(LINE_BYTES);
    if (s->length + length > LINE_BYTES) {
        s->state = ENDING;
        return limit;
    }
    memcpy(s->line + s->length, at, length);
    s->length += length;
    if (newline) {
        length = s->length;
        s->length = 0;
        on_command(s, s->line, length);
    }
    return newline ? newline + 1 : limit;
}

// A message ends with a line that is a dot.
static const char *take_data(struct session *s, const char *at, const char *limit) {
    while (at < limit) {
        const char *newline = memchr(at, '\n', (size_t) (limit - at));
        const char *next = newline ? newline : limit;
        if (!s->length) s->first = *at;
        s->length += (size_t) (next - at);
        if (!newline) return limit;
        at = newline + 1;
        if (s->length == 2 && s->first == '.') {
            s->length = 0;
            s->state = COMMAND;
            say("250 forgotten\r\n");
            return at;
        }
        s->length = 0;
    }
    return at;
}

static int shake(struct session *s) {
    if (!s->ssl) {
        s->ssl = SSL_new(context);
        SSL_set_fd(s->ssl, s->fd);
    }
    int done = SSL_accept(s->ssl);
    if (done == 1) {
        s->state = COMMAND;
        return 1;
    }
    return SSL_get_error(s->ssl, done) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static void on_readable(struct session *s) {
    for (;;) {
        if (s->state == HANDSHAKE) {
            int shaken = shake(s);
            if (shaken < 0) {
                end(s);
                return;
            }
            if (!shaken) return;
        }
        ssize_t got = s->ssl ? SSL_read(s->ssl, in, READ_BYTES) : read(s->fd, in, READ_BYTES);
        if (got <= 0) {
            int waits = s->ssl ? SSL_get_error(s->ssl, (int) got) == SSL_ERROR_WANT_READ
                               : got < 0 && errno == EAGAIN;
            if (!waits) end(s);
            return;
        }
        const char *at = in, *limit = in + got;
        while (at < limit && (s->state == COMMAND || s->state == DATA)) {
            at = s->state == COMMAND ? take_command(s, at, limit) : take_data(s, at, limit);
        }
        if (!flush_replies(s) || s->state == ENDING) {
            end(s);
            return;
        }
        if (!s->ssl && got < READ_BYTES) return; // epoll says when there is more
    }
}

static void on_connection(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct session *s = calloc(1, sizeof *s);
        s->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
        if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
        say("220 floor.test ESMTP\r\n");
        if (!flush_replies(s)) end(s);
    }
}

int main(int count, char **arguments) {
    if (count != 4) {
        fputs("usage: floor PORT CHAIN KEY\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); // tickets carry the sessions
    SSL_CTX_set_session_id_context(context, (const unsigned char *) "floor", 5);
    if (SSL_CTX_use_certificate_chain_file(context, arguments[2]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, arguments[3], SSL_FILETYPE_PEM) != 1)
        die(arguments[2]);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short) atoi(arguments[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *) &address, sizeof address) || listen(listener, 4096)) die(arguments[1]);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event)) die("epoll_ctl");
    for (;;) {
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr) on_readable(events[i].data.ptr);
            else on_connection(listener);
        }
    }
}
