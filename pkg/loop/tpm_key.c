/* SPDX-License-Identifier: Apache-2.0 */
/* A key of OpenSSL whose signatures holdfast-tpm makes.
 *
 * The key is an EC_KEY with its public point and a method of its own for one operation, to sign a digest; all else is
 * OpenSSL's. OpenSSL 3 calls EC_KEY_METHOD deprecated and offers providers in its place: a provider built into the
 * program needs some hundred lines for the same call, and an old interface that is linked in can be called as long as
 * the library has it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "loop/tpm_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/encoding/base64.h"
#include "base/encoding/hex.h"

#define HF_TPM_KEY_TIMEOUT_NS (10ull * 1000000000)

enum {
    POINT = 64, /* bytes: x and y; also those of a signature: r and s */
    DIGEST = 32,
    MAX_BLOB = 1024,
    MAX_LINE = 2 * (MAX_BLOB + POINT) + 2,
    EXIT_NO_TPM = 3, /* as in tpm/helper.h */
    EXIT_FOREIGN = 4,
};

static char *program, *tcti;

int hf_tpm_key_provide(const char *program_path, const char *tpm)
{
    char *fresh[2] = {program_path != NULL ? strdup(program_path) : NULL, tpm != NULL ? strdup(tpm) : NULL};

    if ((program_path != NULL && fresh[0] == NULL) || (tpm != NULL && fresh[1] == NULL)) {
        free(fresh[0]);
        free(fresh[1]);
        return -ENOMEM;
    }
    free(program);
    free(tcti);
    program = fresh[0];
    tcti = fresh[1];
    return 0;
}

bool hf_tpm_key_is(const char *pem)
{
    return strstr(pem, HF_TPM_KEY_BEGIN) != NULL;
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int start(const char *verb, int in, int out, pid_t *ret_pid)
{
    char *const argv[] = {program, (char *)(uintptr_t)verb, (char *)(uintptr_t) "--tcti", tcti, NULL};
    char *const env[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", (char *)(uintptr_t) "LANG=C", NULL};
    posix_spawn_file_actions_t actions;
    int r = posix_spawn_file_actions_init(&actions);

    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (r == 0)
        r = posix_spawn(ret_pid, program, &actions, NULL, argv, env);
    (void)posix_spawn_file_actions_destroy(&actions);
    return -r;
}

/* Reads until the end. -ETIMEDOUT; -E2BIG. */
static int read_all(int fd, char line[MAX_LINE], size_t *ret_n)
{
    uint64_t end = now_ns() + HF_TPM_KEY_TIMEOUT_NS;

    for (*ret_n = 0; *ret_n < MAX_LINE;) {
        struct pollfd one = {.fd = fd, .events = POLLIN};
        uint64_t now = now_ns();
        int ready = now >= end ? 0 : poll(&one, 1, (int)((end - now) / 1000000) + 1);
        if (ready == 0)
            return -ETIMEDOUT;
        ssize_t n = ready < 0 ? -1 : read(fd, line + *ret_n, MAX_LINE - *ret_n);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0;
        *ret_n += n > 0 ? (size_t)n : 0;
    }
    return -E2BIG;
}

static void close_both(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            (void)close(pair[i]);
}

/* The input fits a pipe, so a child that does not read it blocks nobody. A child in an uninterruptible call is left:
 * SIGKILL ends it when the driver lets it go. */
static int converse(const char *verb, const char *input, size_t n, char line[MAX_LINE], size_t *ret_n, int *ret_status)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    pid_t pid = -1;
    int r = pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ? -errno : 0;

    if (r == 0 && write(in[1], input, n) != (ssize_t)n)
        r = -EIO;
    if (r == 0)
        r = start(verb, in[0], out[1], &pid);
    if (r == 0) {
        (void)close(in[1]);
        (void)close(out[1]);
        in[1] = out[1] = -1;
        r = read_all(out[0], line, ret_n);
        if (r < 0)
            (void)kill(pid, SIGKILL);
        if (waitpid(pid, ret_status, r == -ETIMEDOUT ? WNOHANG : 0) < 0 && r == 0)
            r = -errno;
    }
    close_both(in);
    close_both(out);
    return r;
}

static int failure(int status, struct hf_err *err)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;

    if (code == EXIT_FOREIGN)
        return hf_err_set(err, EBADMSG,
                          "this node's TPM does not have the key: another TPM made it, or it was cleared");
    return hf_err_set(err, code == EXIT_NO_TPM ? ENODEV : EIO,
                      "holdfast-tpm ended with %d; it says why when run by hand", code);
}

/* Runs holdfast-tpm with `input` on its standard input, and decodes `size` bytes of answer, or up to `size` if
 * `exact` is false. */
static int run(const char *verb, const unsigned char *input, size_t n, unsigned char *ret, size_t *size, bool exact,
               struct hf_err *err)
{
    char text[MAX_LINE], line[MAX_LINE];
    size_t got = 0;
    int status = 0;

    if (program == NULL || tcti == NULL)
        return hf_err_set(err, EIO, "the key is in a TPM, and holdfast-tpm is not installed beside this program");
    (void)hf_hex_encode(input, n, text);
    int r = converse(verb, text, 2 * n, line, &got, &status);
    if (r == -ETIMEDOUT)
        return hf_err_set(err, ETIMEDOUT, "the TPM did not answer within %d s",
                          (int)(HF_TPM_KEY_TIMEOUT_NS / 1000000000));
    if (r < 0)
        return hf_err_sys(err, r, "run holdfast-tpm");
    if (status != 0)
        return failure(status, err);
    got -= got > 0 && line[got - 1] == '\n';
    line[got] = '\0';
    if (got % 2 != 0 || got / 2 > *size || (exact && got / 2 != *size) || hf_hex_decode(line, ret, got / 2) < 0)
        return hf_err_set(err, EIO, "holdfast-tpm printed something else than was asked for");
    *size = got / 2;
    return 0;
}

/* ---- the key ----------------------------------------------------------------------------------------------------- */

struct tpm_key {
    size_t n;
    unsigned char blob[MAX_BLOB + POINT]; /* then the point */
};

static int sign(const struct tpm_key *key, const unsigned char digest[DIGEST], unsigned char ret[POINT],
                struct hf_err *err)
{
    unsigned char input[MAX_BLOB + DIGEST];
    size_t n = key->n - POINT, size = POINT;

    memcpy(input, key->blob, n);
    memcpy(input + n, digest, DIGEST);
    return run("key-sign", input, n + DIGEST, ret, &size, true, err);
}

static int place_of_key(void)
{
    static int place = -1;

    if (place < 0)
        place = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return place;
}

static ECDSA_SIG *sign_digest(const unsigned char *digest, int n, HF_UNUSED const BIGNUM *inverse,
                              HF_UNUSED const BIGNUM *r, EC_KEY *ec)
{
    const struct tpm_key *key = EC_KEY_get_ex_data(ec, place_of_key());
    unsigned char bytes[POINT];
    struct hf_err err = HF_ERR_INIT;
    ECDSA_SIG *signature = NULL;

    if (key == NULL || n != DIGEST || sign(key, digest, bytes, &err) < 0) {
        ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "%s", err.cause);
        return NULL;
    }
    BIGNUM *a = BN_bin2bn(bytes, DIGEST, NULL), *b = BN_bin2bn(bytes + DIGEST, DIGEST, NULL);
    signature = ECDSA_SIG_new();
    if (a == NULL || b == NULL || signature == NULL || ECDSA_SIG_set0(signature, a, b) != 1) {
        BN_free(a);
        BN_free(b);
        ECDSA_SIG_free(signature);
        return NULL;
    }
    return signature;
}

static void finish(EC_KEY *ec)
{
    free(EC_KEY_get_ex_data(ec, place_of_key()));
}

/* A key that is copied has no TPM's part: nothing copies it, and it could not sign. */
static const EC_KEY_METHOD *method(void)
{
    static EC_KEY_METHOD *own;
    int (*any)(int, const unsigned char *, int, unsigned char *, unsigned int *, const BIGNUM *, const BIGNUM *,
               EC_KEY *);
    int (*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);

    if (own != NULL)
        return own;
    own = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (own == NULL)
        return NULL;
    EC_KEY_METHOD_get_sign(own, &any, &setup, NULL);
    EC_KEY_METHOD_set_sign(own, any, setup, sign_digest);
    EC_KEY_METHOD_set_init(own, NULL, finish, NULL, NULL, NULL, NULL);
    return own;
}

static struct tpm_key *decode(const char *pem)
{
    static const char end[] = "-----END HOLDFAST TPM KEY-----";
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096), bytes = HF_BUF_INIT(MAX_BLOB + POINT);
    const char *begin = strstr(pem, HF_TPM_KEY_BEGIN), *stop = begin != NULL ? strstr(begin, end) : NULL;

    for (const char *at = begin + strlen(HF_TPM_KEY_BEGIN); stop != NULL && at < stop; at++)
        if (*at != '\n' && *at != '\r' && hf_buf_add(&text, at, 1) < 0)
            return NULL;
    if (stop == NULL || hf_base64_decode(hf_buf_view(&text), &bytes) < 0 || bytes.n <= POINT)
        return NULL;
    struct tpm_key *key = calloc(1, sizeof(*key));
    if (key != NULL) {
        key->n = bytes.n;
        memcpy(key->blob, bytes.p, bytes.n);
    }
    return key;
}

static EVP_PKEY *read_tpm_key(const char *pem)
{
    struct tpm_key *key = decode(pem);
    EC_KEY *ec = key != NULL ? EC_KEY_new_by_curve_name(NID_X9_62_prime256v1) : NULL;
    EVP_PKEY *pkey = EVP_PKEY_new();
    unsigned char point[1 + POINT] = {POINT_CONVERSION_UNCOMPRESSED};
    bool good = ec != NULL && pkey != NULL && method() != NULL;

    if (good) {
        memcpy(point + 1, key->blob + key->n - POINT, POINT);
        good = EC_KEY_oct2key(ec, point, sizeof(point), NULL) == 1 && EC_KEY_set_method(ec, method()) == 1 &&
               EC_KEY_set_ex_data(ec, place_of_key(), key) == 1;
        key = good ? NULL : key;
    }
    good = good && EVP_PKEY_assign_EC_KEY(pkey, ec) == 1;
    free(key);
    if (good)
        return pkey;
    EC_KEY_free(ec);
    EVP_PKEY_free(pkey);
    return NULL;
}

/* Without this, OpenSSL asks for a password on the terminal. */
static int no_password(HF_UNUSED char *text, HF_UNUSED int n, HF_UNUSED int write, HF_UNUSED void *arg)
{
    return -1;
}

EVP_PKEY *hf_tpm_key_read(const char *pem)
{
    if (hf_tpm_key_is(pem))
        return read_tpm_key(pem);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    (void)BIO_free(bio);
    return key;
}

int hf_tpm_key_make(struct hf_buf *pem, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    unsigned char bytes[MAX_BLOB + POINT];
    size_t n = sizeof(bytes);
    int r = run("key-make", (const unsigned char *)"", 0, bytes, &n, false, err);

    if (r < 0)
        return r;
    if (n <= POINT)
        return hf_err_set(err, EIO, "holdfast-tpm made no key");
    r = hf_base64_encode(bytes, n, &text);
    if (r == 0)
        r = hf_buf_addf(pem, HF_TPM_KEY_BEGIN "\n");
    for (size_t at = 0; r == 0 && at < text.n; at += 64)
        r = hf_buf_addf(pem, "%.*s\n", (int)HF_MIN(text.n - at, (size_t)64), text.p + at);
    if (r == 0)
        r = hf_buf_addf(pem, "-----END HOLDFAST TPM KEY-----\n");
    return r < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

int hf_tpm_key_check(const char *pem, struct hf_err *err)
{
    static const unsigned char digest[DIGEST] = {1};
    unsigned char signature[POINT];
    struct tpm_key *key = decode(pem);
    int r = key == NULL ? hf_err_set(err, EBADMSG, "the key is damaged") : sign(key, digest, signature, err);

    free(key);
    return r;
}
