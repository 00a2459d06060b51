/*
 * A PKCS#11 module in front of another, of whose tokens one can be made to hang while the others go on.
 *
 * While the file HANGING is there it has the label of a token, and a word. Signatures of that token wait until the file
 * is gone. With the word "hang" so does all else that is asked of it; with "fail" that fails.
 *
 * BEHIND is the module that has the tokens, in a file of its own so that nobody else in the process shares its state;
 * CONFIGURATION is what SOFTHSM2_CONF is to be while it begins.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t; /* CK_ULONG and all that is one */

enum {
    C_INITIALIZE = 0,
    C_GET_TOKEN_INFO = 6,
    C_OPEN_SESSION = 12,
    C_GET_SESSION_INFO = 15,
    C_LOGIN = 18,
    C_SIGN = 43,
    FUNCTIONS = 68,
    LABEL = 32,
    CKR_GENERAL_ERROR = 5,
    CKR_DEVICE_ERROR = 0x30
};

struct list {
    unsigned char version[2];
    void *function[FUNCTIONS];
};

static struct list *behind;
static struct list ours;

/* NULL when nothing hangs. */
static const char *how(ulong_t slot, char *word) {
    ulong_t (*get_token_info)(ulong_t, void *) = behind->function[C_GET_TOKEN_INFO];
    char wanted[LABEL + 1] = "", info[1024];
    FILE *file = fopen(HANGING, "r");
    if (file == NULL)
        return NULL;
    int read = fscanf(file, "%32s %7s", wanted, word);
    fclose(file);
    if (read != 2 || get_token_info(slot, info) != 0)
        return NULL;
    size_t length = strlen(wanted);
    return memcmp(info, wanted, length) == 0 && (length == LABEL || info[length] == ' ') ? word : NULL;
}

static ulong_t held(ulong_t slot, int is_signature) {
    char word[8];
    while (how(slot, word) != NULL) {
        if (!is_signature && strcmp(word, "fail") == 0)
            return CKR_DEVICE_ERROR;
        usleep(10000);
    }
    return 0;
}

static ulong_t held_session(ulong_t session, int is_signature) {
    ulong_t (*get_session_info)(ulong_t, ulong_t *) = behind->function[C_GET_SESSION_INFO];
    ulong_t info[4];
    ulong_t result = get_session_info(session, info);
    return result != 0 ? result : held(info[0], is_signature);
}

static ulong_t initialize(void *arguments) {
    ulong_t (*real)(void *) = behind->function[C_INITIALIZE];
    const char *before = getenv("SOFTHSM2_CONF");
    char *kept = before == NULL ? NULL : strdup(before);
    setenv("SOFTHSM2_CONF", CONFIGURATION, 1);
    ulong_t result = real(arguments);
    if (kept == NULL) {
        unsetenv("SOFTHSM2_CONF");
    } else {
        setenv("SOFTHSM2_CONF", kept, 1);
        free(kept);
    }
    return result;
}

static ulong_t get_token_info(ulong_t slot, void *info) {
    ulong_t (*real)(ulong_t, void *) = behind->function[C_GET_TOKEN_INFO];
    ulong_t result = held(slot, 0);
    return result != 0 ? result : real(slot, info);
}

static ulong_t open_session(ulong_t slot, ulong_t flags, void *application, void *notify, ulong_t *session) {
    ulong_t (*real)(ulong_t, ulong_t, void *, void *, ulong_t *) = behind->function[C_OPEN_SESSION];
    ulong_t result = held(slot, 0);
    return result != 0 ? result : real(slot, flags, application, notify, session);
}

static ulong_t login(ulong_t session, ulong_t user, unsigned char *pin, ulong_t length) {
    ulong_t (*real)(ulong_t, ulong_t, unsigned char *, ulong_t) = behind->function[C_LOGIN];
    ulong_t result = held_session(session, 0);
    return result != 0 ? result : real(session, user, pin, length);
}

static ulong_t sign(ulong_t session, unsigned char *data, ulong_t octets, unsigned char *signature, ulong_t *size) {
    ulong_t (*real)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *) = behind->function[C_SIGN];
    ulong_t result = held_session(session, 1);
    return result != 0 ? result : real(session, data, octets, signature, size);
}

ulong_t C_GetFunctionList(struct list **list) {
    if (behind == NULL) {
        void *library = dlopen(BEHIND, RTLD_NOW | RTLD_LOCAL);
        ulong_t (*real)(struct list **) = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");
        if (real == NULL || real(&behind) != 0)
            return CKR_GENERAL_ERROR;
        ours = *behind;
        ours.function[C_INITIALIZE] = initialize;
        ours.function[C_GET_TOKEN_INFO] = get_token_info;
        ours.function[C_OPEN_SESSION] = open_session;
        ours.function[C_LOGIN] = login;
        ours.function[C_SIGN] = sign;
    }
    *list = &ours;
    return 0;
}
