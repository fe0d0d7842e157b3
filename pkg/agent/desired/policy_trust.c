#include "agent/desired/policy_trust.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/seal.h"
#include "os/file.h"
#include "trust/trust.h"
#include "update/install/floor_copy.h"

#define FILE_NAME "policies"
#define FILE_KIND "policies"
#define COPY_NAME "SyncPolicies" /* not the name of a release, which has no capitals */

enum { FILE_VERSION = 1, FILE_MAX = HF_POLICY_MAX_FLOORS * 400 };

struct policy_floor {
    uint64_t sequence;
    char sha256[HF_SHA256_HEX]; /* of the signed bytes */
};

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static struct policy_floor *set_floor(struct hf_policy_trust *trust, const char *name, uint64_t sequence,
                                      const char *sha256)
{
    struct policy_floor *floor = hf_strmap_get(&trust->floors, name);

    if (floor == NULL) {
        floor = trust->floors.n < HF_POLICY_MAX_FLOORS ? calloc(1, sizeof(*floor)) : NULL;
        if (floor == NULL)
            return NULL;
        if (hf_strmap_put(&trust->floors, name, floor) < 0) {
            free(floor);
            return NULL;
        }
    }
    floor->sequence = sequence;
    (void)snprintf(floor->sha256, sizeof(floor->sha256), "%s", sha256);
    return floor;
}

/* One line: "<name> <sequence> <sha256>". */
static bool take_line(struct hf_policy_trust *trust, struct hf_view line)
{
    struct hf_view name, number;
    char text[HF_API_MAX_NAME + 1], digits[24], sha256[HF_SHA256_HEX];
    uint64_t sequence;

    if (!hf_view_split(&line, ' ', &name) || !hf_view_split(&line, ' ', &number) || line.p == NULL ||
        name.n >= sizeof(text) || number.n >= sizeof(digits) || line.n != sizeof(sha256) - 1)
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)number.n, number.p);
    (void)snprintf(sha256, sizeof(sha256), "%.*s", (int)line.n, line.p);
    if (hf_parse_u64(digits, 1, INT64_MAX, &sequence) < 0)
        return false;
    const struct policy_floor *have = hf_strmap_get(&trust->floors, text);
    if (have != NULL && have->sequence >= sequence)
        return true;
    trust->unsaved = true;
    return set_floor(trust, text, sequence, sha256) != NULL;
}

/* Raises the floors to those of the text. */
static int join(void *arg, struct hf_view text, struct hf_err *err)
{
    struct hf_policy_trust *trust = arg;
    struct hf_view body, line;
    int r = hf_seal_open(text, FILE_KIND, FILE_VERSION, &body, err);

    while (r == 0 && body.n > 0 && hf_view_split(&body, '\n', &line))
        if (line.n > 0 && !take_line(trust, line))
            r = hf_err_set(err, EBADMSG, "a line of the file is malformed");
    return r;
}

static struct hf_target copy_target(const struct hf_agent_env *env)
{
    return (struct hf_target){.fs = env->fs,
                              .roots = env->params->roots,
                              .host_root = env->params->host_root,
                              .release = COPY_NAME,
                              .uid = env->params->uid,
                              .guard = env->params->uid == 0};
}

/* Writes the copy below the first update root that takes it. */
static void save_copy(const struct hf_policy_trust *trust, struct hf_view text)
{
    const struct hf_agent_env *env = trust->env;
    struct hf_target target = copy_target(env);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];
    int r = -ENOENT;

    for (size_t i = 0; target.roots != NULL && target.roots[i] != NULL && r < 0; i++) {
        (void)snprintf(path, sizeof(path), "%s/x", target.roots[i]);
        target.path = path;
        r = hf_floor_copy_write(&target, text, &err);
    }
    if (r < 0 && target.roots != NULL)
        hf_log_err(env->log, HF_LOG_WARNING, "policy.floor_not_copied", "file", COPY_NAME, &err);
}

static int save(struct hf_policy_trust *trust, struct hf_err *err)
{
    const struct hf_agent_env *env = trust->env;
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(FILE_MAX), text = HF_BUF_INIT(FILE_MAX + 200);
    char path[PATH_MAX];

    for (size_t i = 0; i < trust->floors.n; i++) {
        const struct policy_floor *floor = trust->floors.entries[i].value;
        int r = hf_buf_addf(&body, "%s %" PRIu64 " %s\n", trust->floors.entries[i].key, floor->sequence, floor->sha256);
        if (r < 0)
            return hf_err_set(err, -r, "no room for the floors of policies");
    }
    if (hf_seal_format(FILE_KIND, FILE_VERSION, hf_buf_view(&body), &text) < 0)
        return hf_err_set(err, ENOMEM, "no room for the floors of policies");
    save_copy(trust, hf_buf_view(&text));
    return hf_file_replace(env->fs, hf_home_path(env->params->home, FILE_NAME, path), text.p, text.n, 0600, err);
}

static void set_aside(const struct hf_agent_env *env, const char *path, struct hf_err *err)
{
    char aside[PATH_MAX + 16];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
    (void)env->fs->renameat(env->fs->ctx, AT_FDCWD, path, AT_FDCWD, aside);
    hf_log_err(env->log, HF_LOG_ERROR, "policy.floors_lost", "file", aside, err);
}

static void join_copies(struct hf_policy_trust *trust)
{
    const struct hf_agent_env *env = trust->env;
    const struct hf_target target = copy_target(env);
    struct hf_err err = HF_ERR_INIT;

    if (target.roots == NULL)
        return;
    if (hf_floor_copy_read(&target, FILE_MAX + 200, join, trust, &err) < 0)
        hf_log_err(env->log, HF_LOG_WARNING, "policy.copy_not_read", "file", COPY_NAME, &err);
    if (trust->unsaved) /* the next policy that is accepted writes the file */
        hf_log(env->log, HF_LOG_WARNING, "policy.floors_restored", HF_D("policies", trust->floors.n));
}

void hf_policy_trust_init(struct hf_policy_trust *trust, const struct hf_agent_env *env)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_MAX + 200);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];

    *trust = (struct hf_policy_trust){.env = env, .floors = {.free_value = free}};
    int r = hf_file_read(env->fs, hf_home_path(env->params->home, FILE_NAME, path), &text, &err);
    if (r == 0)
        r = join(trust, hf_buf_view(&text), &err);
    if (r < 0 && r != -ENOENT)
        set_aside(env, path, &err);
    trust->unsaved = false;
    join_copies(trust);
}

void hf_policy_trust_done(struct hf_policy_trust *trust)
{
    hf_strmap_done(&trust->floors);
}

/* ---- one policy -------------------------------------------------------------------------------------------------- */

static int hash_of(const struct hf_syncpolicy *policy, char sha256[HF_SHA256_HEX], struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_API_MAX_OBJECT_BYTES);
    int r = hf_trust_policy_message(policy->json, &message, err);

    if (r == 0)
        (void)hf_sha256_hex(message.p, message.n, sha256);
    return r;
}

/* Compares a validly signed policy with its floor, and raises the floor. Returns the reason of a refusal, or NULL. */
static const char *accept(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy, struct hf_err *err)
{
    const struct policy_floor *floor = hf_strmap_get(&trust->floors, policy->meta.name);
    char sha256[HF_SHA256_HEX];
    struct hf_err failure = HF_ERR_INIT;

    if (hash_of(policy, sha256, err) < 0)
        return "TrustUnreadable";
    if (floor != NULL && policy->sequence < floor->sequence) {
        (void)hf_err_set(err, ESTALE, "its sequence %" PRIu64 " is below %" PRIu64 ", which this node has accepted",
                         policy->sequence, floor->sequence);
        return "SequenceTooLow";
    }
    if (floor != NULL && policy->sequence == floor->sequence && strcmp(floor->sha256, sha256) != 0) {
        (void)hf_err_set(err, ESTALE, "this node has accepted another policy with sequence %" PRIu64, policy->sequence);
        return "SequenceTaken";
    }
    if (floor != NULL && policy->sequence == floor->sequence && !trust->unsaved)
        return NULL;
    if (set_floor(trust, policy->meta.name, policy->sequence, sha256) == NULL) {
        (void)hf_err_set(err, ENOSPC, "this node remembers at most %d signed policies", HF_POLICY_MAX_FLOORS);
        return "TooManyPolicies";
    }
    trust->unsaved = save(trust, &failure) < 0;
    if (trust->unsaved) /* the floor holds in this process, and the next call writes the file again */
        hf_log_err(trust->env->log, HF_LOG_ERROR, "policy.floor_not_written", "policy", policy->meta.name, &failure);
    return NULL;
}

/* Returns NULL for a signed policy that is not older than an accepted one, else the reason. */
static const char *distrust(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy, struct hf_err *err)
{
    const struct hf_agent_env *env = trust->env;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;

    if (policy->n_signatures == 0) {
        (void)hf_err_set(err, EKEYREJECTED, "the policy is not signed");
        return "Unsigned";
    }
    if (hf_trust_check_policy(env->fs, env->params->trust_dir, policy, &verdict, err) < 0)
        return "TrustUnreadable";
    return verdict == HF_TRUST_OK ? accept(trust, policy, err) : hf_trust_reason(verdict);
}

enum hf_policy_verdict hf_policy_trust_judge(struct hf_policy_trust *trust, const struct hf_syncpolicy *policy,
                                             const char **ret_reason, char message[HF_POLICY_MESSAGE])
{
    bool required = hf_config_requires_signed_policy(trust->env->config);
    struct hf_err err = HF_ERR_INIT;
    char text[300];

    *ret_reason = NULL;
    if (!required && policy->n_signatures == 0)
        return HF_POLICY_UNSIGNED;
    const char *reason = distrust(trust, policy, &err);
    if (reason == NULL)
        return HF_POLICY_SIGNED;
    *ret_reason = reason;
    (void)snprintf(message, HF_POLICY_MESSAGE, "SyncPolicy '%.63s': %.280s; %s", policy->meta.name,
                   hf_err_text(&err, text, sizeof(text)),
                   required ? "requireSigned in the node's agent.yaml allows only signed policies"
                            : "it is in effect within the bounds for unsigned policies");
    return required ? HF_POLICY_REFUSED : HF_POLICY_UNSIGNED;
}
