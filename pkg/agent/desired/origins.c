/* SPDX-License-Identifier: Apache-2.0 */
/* The memory serves two decisions. Where two policies of one rank differ, the section stays with the policy from
 * which it came before. And an entry of spec.manifests that no policy has any more stays in place for the grace of
 * the policy that had it last (removalGrace), unless this policy itself has dropped it: an object of the same uid
 * with a later generation (or a file) that still selects the node. A change is on disk before the agent acts on it.
 * The grace also counts the time between two processes, by the wall clock. */
#include "agent/desired/origins.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/home.h"
#include "base/parse.h"
#include "codec/seal.h"
#include "os/file.h"

#define KIND "sections"

enum { FILE_VERSION = 1, FILE_MAX = 1 << 20, SECTION_PATH = 400 };

struct section_origin {
    char policy[HF_API_MAX_NAME + 1]; /* "": unknown */
    char uid[64];
    int64_t generation; /* the policy's, when it last set the section */
    uint64_t grace_ns;  /* removalGrace in effect, when the section last was */
    bool absent;        /* no policy sets the section now */
    bool dropped;       /* the policy itself has dropped it */
    /* When the grace began: wall clock, for the file, and how much had passed before this process; 0 before it
     * begins */
    uint64_t gone_unix_s, passed_ns;
    uint64_t gone_ns; /* monotonic time in this process from which the grace counts */
};

static uint64_t now_unix_s(const struct hf_origins *origins)
{
    return hf_unix_ns(origins->env->world.clock) / HF_NS_PER_S;
}

static void path_of_entry(const char *entry, char path[SECTION_PATH])
{
    (void)snprintf(path, SECTION_PATH, "manifests[%.300s]", entry);
}

static bool is_entry(const char *path)
{
    return strncmp(path, "manifests[", 10) == 0;
}

/* Returns the origin of the section, or a new one that is empty; NULL if memory runs out. */
static struct section_origin *get(struct hf_origins *origins, const char *path)
{
    struct section_origin *origin = hf_strmap_get(&origins->by_path, path);

    if (origin != NULL)
        return origin;
    origin = calloc(1, sizeof(*origin));
    if (origin != NULL && hf_strmap_put(&origins->by_path, path, origin) < 0) {
        free(origin);
        origin = NULL;
    }
    return origin;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

/* "<path> <policy> <uid> <generation> <grace in s> <gone since>"; "-" stands for an empty text. */
static int format(const struct hf_origins *origins, struct hf_buf *body)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < origins->by_path.n; i++) {
        const struct section_origin *origin = origins->by_path.entries[i].value;
        r = hf_buf_addf(body, "%s %s %s %" PRId64 " %" PRIu64 " %" PRIu64 "\n", origins->by_path.entries[i].key,
                        origin->policy[0] != '\0' ? origin->policy : "-", origin->uid[0] != '\0' ? origin->uid : "-",
                        origin->generation, (uint64_t)(origin->grace_ns / HF_NS_PER_S), origin->gone_unix_s);
    }
    return r;
}

static bool take_word(struct hf_view *line, char *text, size_t n)
{
    struct hf_view word;

    if (!hf_view_split(line, ' ', &word) || word.n == 0 || word.n >= n)
        return false;
    (void)snprintf(text, n, "%.*s", (int)word.n, word.p);
    if (strcmp(text, "-") == 0)
        text[0] = '\0';
    return true;
}

static bool take_number(struct hf_view *line, uint64_t *ret_number)
{
    char digits[24];

    return take_word(line, digits, sizeof(digits)) && hf_parse_u64(digits, 0, INT64_MAX, ret_number) == 0;
}

static bool take_line(struct hf_origins *origins, struct hf_view line)
{
    struct section_origin read = {.generation = 0};
    uint64_t generation, grace_s, now_s = now_unix_s(origins);
    char path[SECTION_PATH];

    if (!take_word(&line, path, sizeof(path)) || !take_word(&line, read.policy, sizeof(read.policy)) ||
        !take_word(&line, read.uid, sizeof(read.uid)) || !take_number(&line, &generation) ||
        !take_number(&line, &grace_s) || !take_number(&line, &read.gone_unix_s))
        return false;
    read.generation = (int64_t)generation;
    read.grace_ns = HF_MIN(grace_s, UINT64_C(366) * 24 * 3600) * HF_NS_PER_S;
    if (read.gone_unix_s != 0 && now_s > read.gone_unix_s)
        read.passed_ns = HF_MIN((now_s - read.gone_unix_s) * HF_NS_PER_S, read.grace_ns);
    read.gone_ns = hf_mono_ns(origins->env->world.clock);
    read.absent = read.gone_unix_s != 0;
    struct section_origin *origin = get(origins, path);
    if (origin != NULL)
        *origin = read;
    return origin != NULL;
}

static int parse(struct hf_origins *origins, struct hf_view text, struct hf_err *err)
{
    struct hf_view body, line;
    int r = hf_seal_open(text, KIND, FILE_VERSION, &body, err);

    while (r == 0 && body.n > 0 && hf_view_split(&body, '\n', &line))
        if (line.n > 0 && !take_line(origins, line))
            r = hf_err_set(err, EBADMSG, "a line of the file is malformed");
    return r;
}

static void load(struct hf_origins *origins)
{
    const struct hf_fs_ops *fs = origins->env->world.fs;
    char path[PATH_MAX], aside[PATH_MAX + 16];
    struct hf_err err = HF_ERR_INIT;
    int r = hf_file_read(fs, hf_home_path(origins->env->params->home, KIND, path), &origins->saved, &err);

    if (r == 0)
        r = parse(origins, hf_buf_view(&origins->saved), &err);
    if (r == 0 || r == -ENOENT)
        return;
    hf_buf_clear(&origins->saved);
    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
    if (r == -EBADMSG || r == -EOPNOTSUPP || hf_file_is_damage(r))
        (void)fs->renameat(fs->ctx, AT_FDCWD, path, AT_FDCWD, aside);
    hf_log_err(origins->env->world.log, HF_LOG_ERROR, "policy.sections_lost", "file", path, &err);
}

static void save(struct hf_origins *origins)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(FILE_MAX), text = HF_BUF_INIT(FILE_MAX + 200);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];

    if (format(origins, &body) < 0 || hf_seal_format(KIND, FILE_VERSION, hf_buf_view(&body), &text) < 0)
        return;
    if (text.n == origins->saved.n && text.n > 0 && memcmp(text.p, origins->saved.p, text.n) == 0)
        return;
    int r = hf_file_replace(origins->env->world.fs, hf_home_path(origins->env->params->home, KIND, path), text.p,
                            text.n, 0600, &err);
    if (r < 0) {
        hf_log_err(origins->env->world.log, HF_LOG_WARNING, "policy.sections_not_written", "file", path, &err);
        return;
    }
    hf_buf_done(&origins->saved);
    origins->saved = text;
    text = (struct hf_buf){.max = 0};
}

void hf_origins_init(struct hf_origins *origins, const struct hf_agent_env *env)
{
    *origins = (struct hf_origins){.env = env, .by_path = {.free_value = free}, .saved = HF_BUF_INIT(FILE_MAX + 200)};
    load(origins);
}

void hf_origins_done(struct hf_origins *origins)
{
    hf_strmap_done(&origins->by_path);
    hf_buf_done(&origins->saved);
}

const char *hf_origins_incumbent(void *arg, const char *path)
{
    const struct hf_origins *origins = arg;
    const struct section_origin *origin = hf_strmap_get(&origins->by_path, path);

    return origin != NULL ? origin->policy : NULL;
}

/* ---- what changes ------------------------------------------------------------------------------------------------ */

static const struct hf_policy_origin *find_policy(const struct hf_policy_set *set, const char *name)
{
    for (size_t i = 0; i < set->n_origins; i++)
        if (strcmp(set->origins[i].name, name) == 0)
            return &set->origins[i];
    return NULL;
}

/* The reason for which the section does not come from its policy any more. */
static const char *why(const struct hf_policy_set *set, const char *path, const struct section_origin *was)
{
    const struct hf_policy_origin *policy = find_policy(set, was->policy);

    if (policy == NULL)
        return "which does not select this node any more, was deleted, or is not accepted";
    for (size_t i = 0; i < set->n_passed; i++)
        if (set->passed[i].other == policy && strcmp(set->passed[i].path, path) == 0)
            return set->passed[i].why == HF_POLICY_PASSED_UNSIGNED ? "which is not signed"
                   : hf_policy_set_is_conflict(set->passed[i].why) ? "see PolicyConflict"
                                                                   : "which comes later in order";
    return "which has dropped it";
}

static void note(struct hf_origins *origins, const char *path, const char *now, const char *reason,
                 const struct section_origin *was)
{
    size_t n = strlen(origins->change);

    (void)snprintf(origins->change + n, sizeof(origins->change) - n, "%s%s: %s%s%s, no longer from SyncPolicy '%s', %s",
                   n > 0 ? "; " : "", path, now != NULL ? "from SyncPolicy '" : "in effect from none",
                   now != NULL ? now : "", now != NULL ? "'" : "", was->policy, reason);
}

/* While it is not certain that the set has all policies, the one that had the section may only not have come yet, as
 * after the loss of the cache: it stays the incumbent. */
static void take_section(struct hf_origins *origins, const struct hf_policy_set *set,
                         const struct hf_policy_section *section, bool proven)
{
    struct section_origin *origin = get(origins, section->path);

    if (origin == NULL)
        return;
    bool moves = origin->policy[0] != '\0' && strcmp(origin->policy, section->from->name) != 0;
    if (moves && !proven && find_policy(set, origin->policy) == NULL)
        return;
    if (moves)
        note(origins, section->path, section->from->name, why(set, section->path, origin), origin);
    *origin =
        (struct section_origin){.generation = section->from->generation, .grace_ns = set->effective->removal_grace_ns};
    (void)snprintf(origin->policy, sizeof(origin->policy), "%s", section->from->name);
    (void)snprintf(origin->uid, sizeof(origin->uid), "%s", section->from->uid);
}

/* The policy is there, is a later version of the same object, and does not set the section. A folder's file has no
 * generation. */
static bool has_dropped(const struct hf_policy_set *set, const struct section_origin *origin)
{
    const struct hf_policy_origin *policy = find_policy(set, origin->policy);

    return policy != NULL && strncmp(policy->uid, origin->uid, sizeof(origin->uid) - 1) == 0 &&
           (policy->generation == 0 || policy->generation > origin->generation);
}

/* Returns true if the section may be forgotten. */
static bool take_absent(struct hf_origins *origins, const struct hf_policy_set *set, const char *path,
                        struct section_origin *origin, bool proven)
{
    origin->dropped = has_dropped(set, origin);
    if (!proven && !origin->dropped)
        return false;
    if (!origin->absent && !origin->dropped && origin->policy[0] != '\0') /* an edit of the policy is no news */
        note(origins, path, NULL, why(set, path, origin), origin);
    origin->absent = true;
    return proven && !is_entry(path);
}

void hf_origins_take(struct hf_origins *origins, const struct hf_policy_set *set, bool proven)
{
    origins->change[0] = '\0';
    for (size_t i = 0; i < set->n_sections; i++)
        take_section(origins, set, &set->sections[i], proven);
    for (size_t i = origins->by_path.n; i > 0; i--) {
        struct hf_strmap_entry *entry = &origins->by_path.entries[i - 1];
        if (hf_policy_set_find(set, entry->key) == NULL && take_absent(origins, set, entry->key, entry->value, proven))
            (void)hf_strmap_remove(&origins->by_path, entry->key);
    }
    save(origins);
}

/* ---- removals ---------------------------------------------------------------------------------------------------- */

/* An entry of which nobody knows the policy stays for the grace of the present ones. */
static struct section_origin *get_entry(struct hf_origins *origins, const struct hf_policy_set *set, const char *path)
{
    struct section_origin *origin = get(origins, path);

    if (origin != NULL && origin->policy[0] == '\0' && origin->grace_ns == 0 && !origin->absent) {
        origin->absent = true;
        origin->grace_ns = set->effective->removal_grace_ns;
    }
    return origin;
}

uint64_t hf_origins_grace_left_ns(struct hf_origins *origins, const struct hf_policy_set *set, const char *entry)
{
    uint64_t now = hf_mono_ns(origins->env->world.clock);
    char path[SECTION_PATH];

    path_of_entry(entry, path);
    struct section_origin *origin = get_entry(origins, set, path);
    if (origin == NULL)
        return HF_NS_PER_S;
    if (origin->dropped)
        return 0;
    if (origin->gone_unix_s == 0) {
        origin->gone_unix_s = HF_MAX(now_unix_s(origins), UINT64_C(1));
        origin->gone_ns = now;
        save(origins);
    }
    uint64_t passed = origin->passed_ns + now - origin->gone_ns;
    return passed < origin->grace_ns ? origin->grace_ns - passed : 0;
}

void hf_origins_removed(struct hf_origins *origins, const char *entry, char policy[HF_API_MAX_NAME + 1])
{
    char path[SECTION_PATH];

    path_of_entry(entry, path);
    const struct section_origin *origin = hf_strmap_get(&origins->by_path, path);
    (void)snprintf(policy, HF_API_MAX_NAME + 1, "%s", origin != NULL ? origin->policy : "");
    if (origin == NULL || !origin->absent) /* a policy has it again */
        return;
    (void)hf_strmap_remove(&origins->by_path, path);
    save(origins);
}
