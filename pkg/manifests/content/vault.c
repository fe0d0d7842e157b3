/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of a Secret on disk, sealed to the TPM of this node: after a reboot the files are there before the API
 * server answers. The state folder has at most one copy, of the good set's content.
 *
 *     seal:  make a key -> holdfast-tpm seals it -> encrypt the content and write the file
 *     open:  read the sealed key -> holdfast-tpm opens it -> decrypt the content
 *
 * The program runs beside the loop, with a deadline; the rest are jobs. Whatever fails, the entry does what it does
 * without a TPM. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/encoding/hex.h"
#include "base/encoding/utf8.h"
#include "manifests/content/secret.h"
#include "manifests/content/vault.h"
#include "manifests/entry.h"
#include "manifests/state/sealed_secret.h"
#include "os/secret/secret_memory.h"
#include "tpm/envelope.h"

static const uint64_t program_timeout_ns = 30 * HF_NS_PER_S;
static const uint64_t retry_ns = 300 * HF_NS_PER_S;

/* The key of a copy and its sealed form, on pages of their own. */
struct vault_room {
    unsigned char key[HF_TPM_KEY_BYTES];
    char key_line[2 * HF_TPM_KEY_BYTES + 1];
    char blob[HF_TPM_LINE_MAX + 1];
    char digest[HF_SHA256_HEX]; /* of the content */
    char source[HF_SHA256_HEX]; /* hf_manifest_source_key() of the set's entry */
};

void vault_wipe(struct entry *entry)
{
    hf_secret_memory_free(entry->secret.vault.room, sizeof(*entry->secret.vault.room));
    entry->secret.vault.room = NULL;
}

static bool has_tpm(const struct hf_manifest_env *env, struct hf_config_tpm *ret)
{
    static const char device[] = "device:";
    struct stat st;

    *ret = hf_config_tpm(env->config);
    if (!ret->seals_secrets || env->tpm_program == NULL)
        return false;
    return strncmp(ret->tcti, device, strlen(device)) != 0 ||
           env->world.fs->fstatat(env->world.fs->ctx, AT_FDCWD, ret->tcti + strlen(device), &st, 0) == 0;
}

/* Compares the PCRs of the copy with those of agent.yaml. A copy that opens on more boot chains than the owner of the
 * node wants must not stay; one that opens on fewer stays until there is another. */
static void check_pcrs(struct entry *entry)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_sealed_secret copy = {.folder = entry->folder, .digest = entry->secret.vault.digest};
    const struct hf_config_tpm tpm = hf_config_tpm(env->config);
    _cleanup_(hf_buf_done) struct hf_buf blob = HF_BUF_INIT(HF_TPM_LINE_MAX);
    struct hf_err err = HF_ERR_INIT;
    uint32_t pcrs;

    if (!tpm.seals_secrets || hf_sealed_secret_blob(env->world.fs, &copy, &blob, &err) < 0 ||
        hf_sealed_secret_pcrs(hf_buf_view(&blob), &pcrs) < 0)
        return; /* the copy goes, or it is damaged and does not open */
    entry->secret.vault.stale = pcrs != tpm.pcrs;
    if ((tpm.pcrs & ~pcrs) == 0)
        return;
    if (hf_sealed_secret_remove(env->world.fs, entry->folder, entry->secret.vault.digest, &err) < 0) {
        hf_log_err(env->world.log, HF_LOG_ERROR, "manifest.sealed_copy_not_removed", "entry", entry->name, &err);
        memcpy(entry->secret.vault.useless, entry->secret.vault.digest, sizeof(entry->secret.vault.useless));
        return;
    }
    hf_log(env->world.log, HF_LOG_INFO, "manifest.sealed_copy_removed", HF_S("entry", entry->name),
           HF_S("reason", "tpm.pcrs names a PCR that the copy is not bound to"));
    (void)snprintf(entry->secret.vault.why, sizeof(entry->secret.vault.why),
                   "tpm.pcrs has changed, and the copy was removed");
    entry->secret.vault.digest[0] = '\0';
}

void vault_load(struct entry *entry)
{
    const struct hf_manifest_set *good = &entry->r.good;

    if (!secret_is(good->entry) || !hf_sealed_secret_exists(entry->engine->p.env.world.fs, entry->folder, good->digest))
        return;
    memcpy(entry->secret.vault.digest, good->digest, sizeof(good->digest));
    check_pcrs(entry);
}

const char *vault_keeps(const struct entry *entry)
{
    bool may = hf_config_tpm(entry->engine->p.env.config).seals_secrets && !entry->secret.vault.forget;

    return may && secret_is(entry->r.good.entry) ? entry->r.good.digest : "";
}

bool vault_must_go(const struct entry *entry)
{
    return entry->secret.vault.digest[0] != '\0' && strcmp(entry->secret.vault.digest, vault_keeps(entry)) != 0;
}

bool vault_wants(const struct entry *entry)
{
    const struct hf_manifest_set *good = &entry->r.good;
    struct hf_config_tpm tpm;

    return secret_is(good->entry) && !entry->secret.vault.forget && entry->r.phase == HF_MANIFEST_APPLIED &&
           (strcmp(entry->secret.vault.digest, good->digest) != 0 ||
            strcmp(entry->secret.vault.useless, good->digest) == 0 || entry->secret.vault.stale) &&
           strcmp(entry->secret.vault.failed, good->digest) != 0 && has_tpm(&entry->engine->p.env, &tpm);
}

void vault_explain(const struct entry *entry, const struct hf_manifest_set *set, char text[VAULT_EXPLANATION])
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct hf_config_tpm tpm;
    bool there = has_tpm(env, &tpm);
    const char *why = entry->r.unsealed[0] != '\0'         ? entry->r.unsealed
                      : !there && env->tpm_program != NULL ? "there is no TPM"
                                                           : "the agent has made none";

    text[0] = '\0';
    if (entry->secret.vault.why[0] != '\0')
        (void)snprintf(text, VAULT_EXPLANATION, "; its sealed copy does not open: %s",
                       HF_CUT(110, entry->secret.vault.why));
    else if (tpm.seals_secrets && entry->secret.vault.digest[0] == '\0' && !entry->secret.vault.forget &&
             secret_is(set->entry) && strcmp(set->digest, entry->r.good.digest) == 0)
        (void)snprintf(text, VAULT_EXPLANATION, "; no sealed copy on this node: %s", why);
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static int make_room(struct entry *entry, const struct hf_manifest_set *set)
{
    vault_wipe(entry);
    struct vault_room *room = hf_secret_memory_new(sizeof(*room));
    if (room == NULL)
        return -ENOMEM;
    entry->secret.vault.room = room;
    memcpy(room->digest, set->digest, sizeof(room->digest));
    return hf_manifest_source_key(set->entry, room->source);
}

static int run_program(struct entry *entry, const char *verb, struct hf_view input,
                       void (*done)(void *arg, int r, int exit_code, struct hf_view output), struct hf_err *err)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct hf_config_tpm tpm = hf_config_tpm(env->config);
    const char *argv[8] = {env->tpm_program, verb, "--tcti", tpm.tcti};
    char pcrs[HF_TPM_PCRS * 3 + 1] = "";

    for (unsigned i = 0, n = 0; i < HF_TPM_PCRS && strcmp(verb, "seal") == 0; i++)
        if ((tpm.pcrs >> i & 1) != 0)
            n += (unsigned)snprintf(pcrs + n, sizeof(pcrs) - n, "%s%u", n > 0 ? "," : "", i);
    if (pcrs[0] != '\0') {
        argv[4] = "--pcrs";
        argv[5] = pcrs;
    }
    struct hf_proc_request request = {.argv = argv,
                                      .timeout_ns = program_timeout_ns,
                                      .max_output = HF_TPM_LINE_MAX + 1,
                                      .input = input,
                                      .resource = tpm.tcti,
                                      .secret = true,
                                      .done = done,
                                      .arg = entry};
    int r = env->proc->spawn(env->proc->ctx, &request, &entry->proc_call, err);
    entry->busy = entry->busy || r == 0;
    return r;
}

/* Finds the line for a person in the output of a call that failed. Whatever else is there may be a key, or a part of
 * one: the program can die after it has printed the key, or while it does. */
static struct hf_view find_complaint(struct hf_view output)
{
    static const char prefix[] = HF_TPM_PROGRAM ": ";
    struct hf_view line;

    while (hf_view_split(&output, '\n', &line))
        if (hf_view_starts(line, prefix))
            return (struct hf_view){line.p + strlen(prefix), HF_MIN(line.n - strlen(prefix), (size_t)150)};
    return HF_VIEW("it does not say why");
}

/* Says why a call of the program failed. */
static void describe(int r, int exit_code, struct hf_view output, struct hf_err *err)
{
    struct hf_view says = find_complaint(output);

    if (r == -ETIMEDOUT)
        (void)hf_err_set(err, ETIMEDOUT, "the TPM did not answer within 30 s");
    else if (r < 0)
        (void)hf_err_sys(err, r, "run " HF_TPM_PROGRAM);
    else if (exit_code == HF_TPM_EXIT_OK)
        (void)hf_err_set(err, EBADMSG, HF_TPM_PROGRAM " ended with 0, and what it printed is malformed");
    else
        (void)hf_err_set(err, EIO, HF_TPM_PROGRAM " ended with %d: %.*s", exit_code, (int)says.n, says.p);
}

static void describe_copy(const struct entry *entry, struct hf_sealed_secret *ret)
{
    *ret = (struct hf_sealed_secret){.folder = entry->folder,
                                     .node = entry->engine->p.env.node_name,
                                     .entry = entry->name,
                                     .source = entry->secret.vault.room->source,
                                     .digest = entry->secret.vault.room->digest};
}

/* ---- seal -------------------------------------------------------------------------------------------------------- */

/* The record keeps the cause, because a later process has to say why there is no copy. */
static void note_cause(struct entry *entry, const char *cause)
{
    char text[HF_RECORD_UNSEALED];

    (void)snprintf(text, sizeof(text), "%s", cause);
    hf_utf8_trim(text);
    if (strcmp(text, entry->r.unsealed) == 0)
        return;
    memcpy(entry->r.unsealed, text, sizeof(text));
    entry->save_wanted = true;
}

static void not_sealed(struct entry *entry, bool forever, const struct hf_err *err)
{
    char text[200];

    note_cause(entry, hf_err_text(err, text, sizeof(text)));
    memcpy(entry->secret.vault.failed, entry->r.good.digest, sizeof(entry->secret.vault.failed));
    entry->secret.vault.hopeless = forever;
    hf_log_err(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.secret_not_sealed", "entry", entry->name, err);
}

bool vault_retries(struct entry *entry)
{
    if (entry->secret.vault.failed[0] == '\0' || entry->secret.vault.hopeless || entry->busy)
        return false;
    entry->secret.vault.failed[0] = '\0';
    return vault_wants(entry);
}

/* `forever`: another attempt would end in the same way. */
static void end_seal(struct entry *entry, bool forever, const struct hf_err *err)
{
    struct hf_log *log = entry->engine->p.env.world.log;
    void (*then)(struct entry * entry) = entry->secret.vault.then;

    if (err == NULL) {
        memcpy(entry->secret.vault.digest, entry->secret.vault.room->digest, sizeof(entry->secret.vault.digest));
        entry->secret.vault.useless[0] = entry->secret.vault.why[0] = '\0';
        entry->secret.vault.stale = false;
        note_cause(entry, "");
        hf_log(log, HF_LOG_INFO, "manifest.secret_sealed", HF_S("entry", entry->name));
    } else {
        not_sealed(entry, forever, err);
    }
    vault_wipe(entry);
    assert(then != NULL && !entry->busy);
    then(entry);
}

static int run_save(struct job *job)
{
    struct entry *entry = job->entry;
    struct hf_sealed_secret copy;

    assert(strcmp(entry->secret.bundle->digest, entry->secret.vault.room->digest) == 0);
    describe_copy(entry, &copy);
    return hf_sealed_secret_save(entry->engine->p.env.world.fs, &copy, entry->secret.bundle,
                                 entry->secret.vault.room->key, hf_view_of(entry->secret.vault.room->blob), &job->err);
}

static void saved(struct entry *entry, struct job *job)
{
    end_seal(entry, job->r == -E2BIG, job->r < 0 ? &job->err : NULL);
}

static bool is_hex(struct hf_view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || strchr("0123456789abcdef", text.p[i]) == NULL)
            return false;
    return text.n > 0;
}

static void sealed(void *arg, int r, int exit_code, struct hf_view output)
{
    struct entry *entry = arg;
    struct hf_view line = hf_view_trim(output);
    struct hf_err err = HF_ERR_INIT;

    entry->proc_call = NULL;
    entry->busy = false;
    if (r < 0 || exit_code != HF_TPM_EXIT_OK || !is_hex(line) || line.n >= sizeof(entry->secret.vault.room->blob)) {
        describe(r, exit_code, output, &err);
        end_seal(entry, r == 0 && exit_code == HF_TPM_EXIT_USAGE, &err);
        return;
    }
    memcpy(entry->secret.vault.room->blob, line.p, line.n);
    struct job *job = task_new(entry, run_save, saved);
    if (job == NULL) {
        (void)hf_err_set(&err, ENOMEM, "out of memory");
        end_seal(entry, false, &err);
        return;
    }
    task_submit(job);
}

bool vault_seal(struct entry *entry, void (*then)(struct entry *entry))
{
    struct hf_err err = HF_ERR_INIT;

    if (!secret_has(entry, &entry->r.good) || !vault_wants(entry))
        return false;
    int r = make_room(entry, &entry->r.good);
    struct vault_room *room = entry->secret.vault.room;
    if (r == 0)
        r = hf_tpm_envelope_key(room->key, &err);
    if (r == 0) {
        (void)hf_hex_encode(room->key, sizeof(room->key), room->key_line);
        entry->secret.vault.then = then;
        r = run_program(entry, "seal", (struct hf_view){room->key_line, 2 * sizeof(room->key)}, sealed, &err);
    }
    if (r == 0)
        return true;
    not_sealed(entry, false, &err);
    vault_wipe(entry);
    return false;
}

/* ---- open -------------------------------------------------------------------------------------------------------- */

/* `forever`: another attempt would end in the same way. */
static void not_opened(struct entry *entry, bool forever, const struct hf_err *err)
{
    if (forever)
        memcpy(entry->secret.vault.useless, entry->secret.vault.digest, sizeof(entry->secret.vault.useless));
    entry->secret.vault.retry_ns = hf_steer_core_now_ns(&entry->engine->core) + retry_ns;
    (void)hf_err_text(err, entry->secret.vault.why, sizeof(entry->secret.vault.why));
    hf_log_err(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.secret_not_restored", "entry", entry->name,
               err);
    vault_wipe(entry);
    drift_want(&entry->drift);
    hf_steer_machine_wake(&entry->machine);
}

struct decryption {
    struct job job;
    struct hf_bundle *bundle;
};

static void end_decryption(struct job *job)
{
    hf_bundle_free(hf_container_of(job, struct decryption, job)->bundle);
}

static int run_decrypt(struct job *job)
{
    struct decryption *decryption = hf_container_of(job, struct decryption, job);
    struct entry *entry = job->entry;
    struct hf_sealed_secret copy;

    describe_copy(entry, &copy);
    return hf_sealed_secret_load(entry->engine->p.env.world.fs, &copy, entry->secret.vault.room->key,
                                 &decryption->bundle, &job->err);
}

static void decrypted(struct entry *entry, struct job *job)
{
    if (job->r < 0) {
        not_opened(entry, job->r == -EBADMSG || job->r == -ENOENT, &job->err);
        return;
    }
    hf_log(entry->engine->p.env.world.log, HF_LOG_INFO, "manifest.secret_restored", HF_S("entry", entry->name));
    entry->secret.vault.why[0] = '\0';
    vault_wipe(entry);
    hf_bundle_free(entry->secret.bundle);
    entry->secret.bundle = hf_steal(hf_container_of(job, struct decryption, job)->bundle);
    entry->secret.vault.verify = hf_manifest_machine_rests(entry->r.phase) && entry->r.phase != HF_MANIFEST_WAITING;
    /* While another set waits, the copy was opened because of drift: the next look repairs it. */
    if (entry->r.phase == HF_MANIFEST_WAITING && strcmp(entry->r.next.key, entry->r.good.key) != 0)
        drift_want(&entry->drift);
}

static bool is_forever(int exit_code)
{
    return exit_code == HF_TPM_EXIT_FOREIGN || exit_code == HF_TPM_EXIT_PCRS || exit_code == HF_TPM_EXIT_USAGE;
}

static void opened(void *arg, int r, int exit_code, struct hf_view output)
{
    struct entry *entry = arg;
    struct vault_room *room = entry->secret.vault.room;
    struct hf_view line = hf_view_trim(output);
    struct hf_err err = HF_ERR_INIT;

    entry->proc_call = NULL;
    entry->busy = false;
    bool good = r == 0 && exit_code == HF_TPM_EXIT_OK && line.n == sizeof(room->key_line) - 1;
    if (good)
        memcpy(room->key_line, line.p, line.n); /* its zero is there already */
    struct decryption *decryption = NULL;
    if (!good || hf_hex_decode(room->key_line, room->key, sizeof(room->key)) < 0)
        describe(r, exit_code, output, &err);
    else if ((decryption = task_new_operation(sizeof(*decryption), entry, run_decrypt, decrypted, end_decryption)) ==
             NULL)
        (void)hf_err_set(&err, ENOMEM, "out of memory");
    if (decryption != NULL)
        task_submit(&decryption->job);
    else
        not_opened(entry, r == 0 && is_forever(exit_code), &err);
}

struct blob_read {
    struct job job;
    struct hf_buf blob; /* the sealed key */
};

static void end_read(struct job *job)
{
    hf_buf_done(&hf_container_of(job, struct blob_read, job)->blob);
}

static int run_read(struct job *job)
{
    struct blob_read *at = hf_container_of(job, struct blob_read, job);
    struct hf_sealed_secret copy;

    describe_copy(job->entry, &copy);
    return hf_sealed_secret_blob(job->entry->engine->p.env.world.fs, &copy, &at->blob, &job->err);
}

static void was_read(struct entry *entry, struct job *job)
{
    const struct blob_read *at = hf_container_of(job, struct blob_read, job);
    int r = job->r < 0 ? job->r : run_program(entry, "unseal", hf_buf_view(&at->blob), opened, &job->err);

    if (r < 0)
        not_opened(entry, job->r == -EBADMSG || job->r == -ENOENT, &job->err);
}

static bool may_open(const struct entry *entry, const struct hf_manifest_set *set)
{
    return set->digest[0] != '\0' && strcmp(entry->secret.vault.digest, set->digest) == 0 &&
           strcmp(entry->secret.vault.useless, set->digest) != 0 && !entry->secret.vault.forget;
}

bool vault_may_open_later(const struct entry *entry, const struct hf_manifest_set *set, uint64_t *ret_due_ns)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core);

    if (!may_open(entry, set) || env->tpm_program == NULL || !hf_config_tpm(env->config).seals_secrets)
        return false;
    *ret_due_ns = entry->secret.vault.retry_ns > now ? entry->secret.vault.retry_ns : now + retry_ns;
    return true;
}

void vault_give_up(struct entry *entry, const struct hf_manifest_set *set)
{
    memcpy(entry->secret.vault.useless, set->digest, sizeof(entry->secret.vault.useless));
}

bool vault_open(struct entry *entry, const struct hf_manifest_set *set)
{
    struct hf_config_tpm tpm;

    if (!may_open(entry, set) || entry->busy ||
        entry->secret.vault.retry_ns > hf_steer_core_now_ns(&entry->engine->core))
        return false;
    if (!has_tpm(&entry->engine->p.env, &tpm)) {
        (void)snprintf(entry->secret.vault.why, sizeof(entry->secret.vault.why), "there is no TPM");
        return false;
    }
    struct blob_read *at = task_new_operation(sizeof(*at), entry, run_read, was_read, end_read);
    if (at == NULL || make_room(entry, set) < 0) {
        task_discard(at);
        vault_wipe(entry);
        return false;
    }
    at->blob.max = HF_RECORD_MAX_BYTES;
    task_submit(&at->job);
    return true;
}
