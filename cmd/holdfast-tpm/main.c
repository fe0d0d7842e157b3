/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-tpm: seals a key to the TPM of this node, and opens it again. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding/hex.h"
#include "base/parse.h"
#include "os/fs_posix.h"
#include "os/secret/secret_memory.h"
#include "tpm/helper.h"
#include "update/floors/accept.h"
#include "update/floors/step.h"

static const char help[] =
    "usage: holdfast-tpm seal   [--tcti TCTI] [--pcrs N,N...] <KEY    >SEALED\n"
    "       holdfast-tpm unseal [--tcti TCTI]                 <SEALED >KEY\n"
    "       holdfast-tpm {key-make | key-sign} [--tcti TCTI]  <KEY+DIGEST >SIGNATURE\n"
    "       holdfast-tpm accept-floors [--tcti TCTI] [--state-dir PATH]\n"
    "       holdfast-tpm {counter-read | counter-next} [--tcti TCTI]\n"
    "       holdfast-tpm counter-step --to N [--tcti TCTI] [--state-dir PATH]\n"
    "\n"
    "Seals a key of 32 bytes to the TPM 2 of this node, or opens a sealed key. Both are lines of hex digits.\n"
    "key-make makes a key that never leaves the TPM, key-sign signs with it, for the agent's client certificate.\n"
    "accept-floors makes the floors in the state folder the newest ones, after the agent has refused them (reasons\n"
    "FloorsReplaced and TpmReplaced). counter-... read the floor counter, and increment it from N - 1 to N, for the\n"
    "agent: an increment by hand makes the agent refuse the floors.\n"
    "The agent starts this program; by hand it shows whether the TPM works.\n"
    "\n"
    "  --tcti TCTI      the TPM: device:PATH or swtpm:CONFIGURATION (default: device:/dev/tpmrm0)\n"
    "  --pcrs N,N...    open the key only while these PCRs (0 to 22 without 16, SHA-256) have the values of now\n"
    "  --state-dir PATH the state folder of the agent (default: /var/lib/holdfast)\n"
    "  --to N           the value that the increment brings; a counter with another one before stays as it is\n"
    "  --help           print this text\n"
    "  --version        print the version\n"
    "\n"
    "exit: 0 done, 1 failed, 2 wrong usage, 3 no TPM, 4 another TPM sealed it or it is damaged, 5 the PCRs differ,\n"
    "6 the TPM is locked or has an owner password, 7 no room for the counter\n";

static int usage(const char *text, const char *value)
{
    (void)fprintf(stderr, "holdfast-tpm: %s%s; see holdfast-tpm --help\n", text, value);
    return HF_TPM_EXIT_USAGE;
}

static int say(const struct hf_err *err)
{
    (void)fprintf(stderr, "holdfast-tpm: %s\n", HF_ERR_TEXT(err));
    switch (err->code) {
    case ENODEV:
        return HF_TPM_EXIT_NO_TPM;
    case EBADMSG:
        return HF_TPM_EXIT_FOREIGN;
    case ESTALE:
        return HF_TPM_EXIT_PCRS;
    case EINVAL:
        return HF_TPM_EXIT_USAGE;
    case EACCES:
        return HF_TPM_EXIT_LOCKED;
    case ENOSPC:
        return HF_TPM_EXIT_FULL;
    default:
        return HF_TPM_EXIT_FAILED;
    }
}

/* Reads one line, without its line feed. Returns its length, or -1 if it is too long or cannot be read. */
static ssize_t read_line(char *line, size_t room)
{
    size_t n = 0;
    ssize_t some = 1;

    while (some > 0 && n < room) {
        some = read(STDIN_FILENO, line + n, room - n);
        if (some < 0 && errno == EINTR)
            some = 1;
        else if (some > 0)
            n += (size_t)some;
    }
    if (some < 0 || n == room)
        return -1;
    if (n > 0 && line[n - 1] == '\n')
        n--;
    line[n] = '\0';
    return (ssize_t)n;
}

static int write_line(char *line, size_t n)
{
    line[n++] = '\n';
    for (size_t at = 0; at < n;) {
        ssize_t some = write(STDOUT_FILENO, line + at, n - at);
        if (some < 0 && errno != EINTR)
            return HF_TPM_EXIT_FAILED;
        at += some > 0 ? (size_t)some : 0;
    }
    return HF_TPM_EXIT_OK;
}

/* The input and output of a call, on pages that stay out of core dumps and swap. */
struct room {
    char line[HF_TPM_LINE_MAX + 2];
    unsigned char key[HF_TPM_KEY_BYTES];
};

/* These two leave the answer in room->line, as *ret_n hex digits. */
static int seal(struct hf_tpm_chip *chip, uint32_t pcrs, struct room *room, size_t *ret_n)
{
    _cleanup_(hf_buf_done) struct hf_buf blob = HF_BUF_INIT(HF_TPM_BLOB_MAX);
    struct hf_err err = HF_ERR_INIT;

    if (hf_hex_decode(room->line, room->key, sizeof(room->key)) < 0)
        return usage("stdin is not 64 hex digits", "");
    if (hf_tpm_chip_seal(chip, room->key, pcrs, &blob, &err) < 0)
        return say(&err);
    (void)hf_hex_encode(blob.p, blob.n, room->line);
    *ret_n = 2 * blob.n;
    return HF_TPM_EXIT_OK;
}

static int unseal(struct hf_tpm_chip *chip, size_t n, struct room *room, size_t *ret_n)
{
    unsigned char blob[HF_TPM_BLOB_MAX];
    struct hf_err err = HF_ERR_INIT;
    bool is_hex = n % 2 == 0 && n / 2 <= sizeof(blob) && hf_hex_decode(room->line, blob, n / 2) == 0;
    int r = is_hex ? hf_tpm_chip_open_key(chip, (struct hf_view){(char *)blob, n / 2}, room->key, &err)
                   : hf_err_set(&err, EBADMSG, "the sealed key is damaged");

    if (r < 0)
        return say(&err);
    (void)hf_hex_encode(room->key, sizeof(room->key), room->line);
    *ret_n = 2 * sizeof(room->key);
    return HF_TPM_EXIT_OK;
}

static int key_make(struct hf_tpm_chip *chip, struct room *room, size_t *ret_n)
{
    _cleanup_(hf_buf_done) struct hf_buf blob = HF_BUF_INIT(HF_TPM_BLOB_MAX);
    unsigned char point[HF_TPM_POINT_BYTES];
    struct hf_err err = HF_ERR_INIT;
    int r = hf_tpm_chip_key_make(chip, &blob, point, &err);

    if (r == 0 && hf_buf_add(&blob, point, sizeof(point)) < 0)
        r = hf_err_set(&err, EIO, "the TPM's key is too long");
    if (r < 0)
        return say(&err);
    (void)hf_hex_encode(blob.p, blob.n, room->line);
    *ret_n = 2 * blob.n;
    return HF_TPM_EXIT_OK;
}

static int key_sign(struct hf_tpm_chip *chip, size_t n, struct room *room, size_t *ret_n)
{
    unsigned char input[HF_TPM_BLOB_MAX], signature[HF_TPM_POINT_BYTES];
    struct hf_err err = HF_ERR_INIT;
    bool good = n % 2 == 0 && n / 2 > HF_TPM_DIGEST_BYTES && n / 2 <= sizeof(input) &&
                hf_hex_decode(room->line, input, n / 2) == 0;
    size_t blob_n = good ? n / 2 - HF_TPM_DIGEST_BYTES : 0;
    int r = good ? hf_tpm_chip_key_sign(chip, (struct hf_view){(char *)input, blob_n}, input + blob_n, signature, &err)
                 : hf_err_set(&err, EBADMSG, "the key is damaged");

    if (r < 0)
        return say(&err);
    (void)hf_hex_encode(signature, sizeof(signature), room->line);
    *ret_n = 2 * sizeof(signature);
    return HF_TPM_EXIT_OK;
}

static int answer(const char *verb, struct hf_tpm_chip *chip, uint32_t pcrs, struct room *room, size_t n, size_t *ret_n)
{
    if (strcmp(verb, "key-make") == 0)
        return key_make(chip, room, ret_n);
    if (strcmp(verb, "key-sign") == 0)
        return key_sign(chip, n, room, ret_n);
    return strcmp(verb, "seal") == 0 ? seal(chip, pcrs, room, ret_n) : unseal(chip, n, room, ret_n);
}

static bool is_of_a_key(const char *verb)
{
    static const char *const verbs[] = {"seal", "unseal", "key-make", "key-sign"};

    for (size_t i = 0; i < HF_LEN(verbs); i++)
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    return false;
}

static int run(const char *verb, const char *tcti, uint32_t pcrs)
{
    struct hf_tpm_chip *chip = NULL;
    struct hf_err err = HF_ERR_INIT;
    int code = HF_TPM_EXIT_FAILED;
    size_t answer_n = 0;

    hf_secret_memory_guard();
    struct room *room = hf_secret_memory_new(sizeof(*room));
    ssize_t n = room != NULL ? read_line(room->line, sizeof(room->line)) : -1;
    if (n < 0)
        code = usage("stdin cannot be read, or is too long", "");
    else if (hf_tpm_chip_open(tcti, &chip, &err) < 0)
        code = say(&err);
    else
        code = answer(verb, chip, pcrs, room, (size_t)n, &answer_n);
    hf_tpm_chip_close(chip); /* whatever the library does at its end, no key has been printed yet */
    if (code == HF_TPM_EXIT_OK)
        code = write_line(room->line, answer_n);
    hf_secret_memory_free(room, sizeof(*room));
    return code;
}

/* ---- the counter ------------------------------------------------------------------------------------------------- */

/* The arguments of a call. */
struct request {
    const char *tcti, *state_dir;
    uint32_t pcrs;
    uint64_t to; /* 0: not given */
};

static bool is_step(const char *verb)
{
    return strcmp(verb, "counter-step") == 0;
}

static bool is_counter(const char *verb)
{
    return is_step(verb) || strcmp(verb, "counter-read") == 0 || strcmp(verb, "counter-next") == 0;
}

/* Returns 1 if there is no counter. */
static int read_counter(const char *verb, const char *tcti, uint64_t *ret_value, struct hf_err *err)
{
    struct hf_tpm_chip *chip = NULL;
    int r = hf_tpm_chip_open(tcti, &chip, err);

    if (r == 0 && strcmp(verb, "counter-next") == 0)
        r = hf_tpm_chip_counter_next(chip, ret_value, err);
    else if (r == 0)
        r = hf_tpm_chip_counter_read(chip, ret_value, err);
    hf_tpm_chip_close(chip);
    return r == -ENOENT ? 1 : r;
}

static int count(const char *verb, const struct request *request)
{
    struct hf_err err = HF_ERR_INIT;
    uint64_t value = 0;

    if (is_step(verb) != (request->to != 0))
        return usage("counter-step needs --to, and no other call takes it", "");
    int r = is_step(verb) ? hf_floor_step(request->tcti, hf_fs_posix(), request->state_dir, request->to, &value, &err)
                          : read_counter(verb, request->tcti, &value, &err);
    if (r < 0)
        return say(&err);
    int n = r == 1 ? puts(HF_TPM_ABSENT) : printf("%" PRIu64 "\n", value);
    return n < 0 || fflush(stdout) != 0 ? HF_TPM_EXIT_FAILED : HF_TPM_EXIT_OK;
}

/* ---- the floors -------------------------------------------------------------------------------------------------- */

static int accept_floors(const char *tcti, const char *state_dir)
{
    struct hf_err err = HF_ERR_INIT;
    uint64_t value = 0;

    if (hf_floor_accept(tcti, hf_fs_posix(), state_dir, &value, &err) < 0)
        return say(&err);
    (void)printf("the floors in %s are accepted; the TPM's counter is at %" PRIu64 "\n"
                 "holdfast-agent sees this within 5 minutes, or at once after a restart\n",
                 state_dir, value);
    return fflush(stdout) != 0 ? HF_TPM_EXIT_FAILED : HF_TPM_EXIT_OK;
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static bool parse_pcrs(const char *text, uint32_t *ret_pcrs)
{
    struct hf_view left = {text, strlen(text)}, word;

    while (left.n > 0) {
        uint64_t number;
        char digits[8];
        (void)hf_view_split(&left, ',', &word);
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)HF_MIN(word.n, (size_t)7), word.p);
        if (hf_parse_u64(digits, 0, HF_TPM_PCRS - 1, &number) < 0)
            return false;
        *ret_pcrs |= (uint32_t)1 << number;
    }
    return *ret_pcrs != 0;
}

/* Takes one option. Returns the exit code if the program ends with it, otherwise -1. */
static int take_option(int word, struct request *request)
{
    switch (word) {
    case 't':
        request->tcti = optarg;
        return -1;
    case 's':
        request->state_dir = optarg;
        return -1;
    case 'n':
        return hf_parse_u64(optarg, 1, INT64_MAX, &request->to) < 0
                   ? usage("--to expects a number from 1, got ", optarg)
                   : -1;
    case 'p':
        if (!parse_pcrs(optarg, &request->pcrs))
            return usage("--pcrs expects numbers from 0 to 23, separated by commas, got ", optarg);
        if ((request->pcrs & HF_TPM_WEAK_PCRS) != 0)
            return usage("any program can reset the PCRs 16 and 23, so they bind the key to nothing: --pcrs ", optarg);
        return -1;
    case 'h':
        return fputs(help, stdout) == EOF;
    case 'v':
        return printf("holdfast-tpm %s\n", HF_VERSION) < 0;
    default:
        return HF_TPM_EXIT_USAGE;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"tcti", required_argument, NULL, 't'},
        {"pcrs", required_argument, NULL, 'p'},
        {"state-dir", required_argument, NULL, 's'},
        {"to", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    struct request request = {.tcti = HF_TPM_DEFAULT_TCTI, .state_dir = "/var/lib/holdfast"};

    for (int word; (word = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        int code = take_option(word, &request);
        if (code >= 0)
            return code;
    }
    const char *verb = optind + 1 == argc ? argv[optind] : "";
    if (strcmp(verb, "accept-floors") == 0)
        return accept_floors(request.tcti, request.state_dir);
    if (is_counter(verb))
        return count(verb, &request);
    if (!is_of_a_key(verb))
        return usage(
            "expected one word: seal, unseal, key-make, key-sign, accept-floors, counter-read, counter-next or "
            "counter-step",
            "");
    return run(verb, request.tcti, request.pcrs);
}
