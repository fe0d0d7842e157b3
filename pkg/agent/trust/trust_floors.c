/* SPDX-License-Identifier: Apache-2.0 */
/* The file <state>/<file> holds, for each name, the sequence and the SHA-256 of the signed bytes. A copy of the file
 * lies below an update root, so that the loss of the state folder lowers no floor. The guard env->floors also gets
 * each floor: on a node whose TPM counts floors, it notices that an older disk was put in place. If the write of the
 * file fails, the floor is raised in this process only, and the next call writes it again. */
#include "agent/trust/trust_floors.h"

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
#include "update/floors/guard.h"
#include "update/install/floor_copy.h"

enum { FILE_VERSION = 1, EACH_MAX = 400 };
static const uint64_t read_again_ns = 10 * HF_NS_PER_S, unread_max_ns = 3600 * HF_NS_PER_S;

struct floor_entry {
    uint64_t sequence;
    char sha256[HF_SHA256_HEX]; /* over the signed bytes */
};

static size_t max_bytes(const struct hf_trust_floors *floors)
{
    return floors->kind->max * (size_t)EACH_MAX;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static struct floor_entry *set_floor(struct hf_trust_floors *floors, const char *name, uint64_t sequence,
                                     const char *sha256)
{
    struct floor_entry *floor = hf_strmap_get(&floors->floors, name);

    if (floor == NULL) {
        floor = floors->floors.n < floors->kind->max ? calloc(1, sizeof(*floor)) : NULL;
        if (floor == NULL)
            return NULL;
        if (hf_strmap_put(&floors->floors, name, floor) < 0) {
            free(floor);
            return NULL;
        }
    }
    floor->sequence = sequence;
    (void)snprintf(floor->sha256, sizeof(floor->sha256), "%s", sha256);
    return floor;
}

/* One line: "<name> <sequence> <sha256>". */
static bool take_line(struct hf_trust_floors *floors, struct hf_view line)
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
    const struct floor_entry *have = hf_strmap_get(&floors->floors, text);
    if (have != NULL && have->sequence >= sequence)
        return true;
    floors->unsaved = true;
    return set_floor(floors, text, sequence, sha256) != NULL;
}

/* Raises the floors to those of the text. */
static int join(void *arg, struct hf_view text, struct hf_err *err)
{
    struct hf_trust_floors *floors = arg;
    struct hf_view body, line;
    int r = hf_seal_open(text, floors->kind->file, FILE_VERSION, &body, err);

    while (r == 0 && body.n > 0 && hf_view_split(&body, '\n', &line))
        if (line.n > 0 && !take_line(floors, line))
            r = hf_err_set(err, EBADMSG, "a line of the file is malformed");
    return r;
}

static struct hf_target copy_target(const struct hf_trust_floors *floors)
{
    const struct hf_agent_env *env = floors->env;

    return (struct hf_target){.fs = env->world.fs,
                              .roots = env->params->roots,
                              .host_root = env->params->host_root,
                              .release = floors->kind->copy,
                              .uid = env->params->uid,
                              .guard = env->params->uid == 0};
}

/* Writes the copy below the first update root that takes it. */
static void save_copy(const struct hf_trust_floors *floors, struct hf_view text)
{
    const struct hf_agent_env *env = floors->env;
    struct hf_target target = copy_target(floors);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];
    int r = -ENOENT;

    for (size_t i = 0; target.roots != NULL && target.roots[i] != NULL && r < 0; i++) {
        (void)snprintf(path, sizeof(path), "%s/x", target.roots[i]);
        target.path = path;
        r = hf_floor_copy_write(&target, text, &err);
    }
    if (r < 0 && target.roots != NULL)
        hf_log_err(env->world.log, HF_LOG_WARNING, "policy.floor_not_copied", "file", floors->kind->copy, &err);
}

static int save(struct hf_trust_floors *floors, struct hf_err *err)
{
    const struct hf_agent_env *env = floors->env;
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(max_bytes(floors)),
                                         text = HF_BUF_INIT(max_bytes(floors) + 200);
    char path[PATH_MAX];

    for (size_t i = 0; i < floors->floors.n; i++) {
        const struct floor_entry *floor = floors->floors.entries[i].value;
        int r =
            hf_buf_addf(&body, "%s %" PRIu64 " %s\n", floors->floors.entries[i].key, floor->sequence, floor->sha256);
        if (r < 0)
            return hf_err_set(err, -r, "no room for the floors of %s", floors->kind->whats);
    }
    if (hf_seal_format(floors->kind->file, FILE_VERSION, hf_buf_view(&body), &text) < 0)
        return hf_err_set(err, ENOMEM, "no room for the floors of %s", floors->kind->whats);
    save_copy(floors, hf_buf_view(&text));
    return hf_file_replace(env->world.fs, hf_home_path(env->params->home, floors->kind->file, path), text.p, text.n,
                           0600, err);
}

static void set_aside(const struct hf_agent_env *env, const char *path, struct hf_err *err)
{
    char aside[PATH_MAX + 16];

    (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
    (void)env->world.fs->renameat(env->world.fs->ctx, AT_FDCWD, path, AT_FDCWD, aside);
    hf_log_err(env->world.log, HF_LOG_ERROR, "policy.floors_lost", "file", aside, err);
}

/* Only damage makes the floors of the file void. Until an error of the disk has gone, nobody knows them. An error that
 * stays for an hour is one of the medium, and nobody is on site: it counts as damage. */
static void read_file(struct hf_trust_floors *floors)
{
    const struct hf_agent_env *env = floors->env;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(max_bytes(floors) + 200);
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];
    bool first = floors->unread == 0;
    int r = hf_file_read(env->world.fs, hf_home_path(env->params->home, floors->kind->file, path), &text, &err);

    floors->unread = r == -ENOENT || hf_file_is_damage(r) ? 0 : r;
    if (floors->unread < 0) {
        uint64_t now = hf_mono_ns(env->world.clock);
        floors->unread_ns = first ? now : floors->unread_ns;
        floors->read_again_ns = now + read_again_ns;
        if (now - floors->unread_ns < unread_max_ns)
            return;
        floors->unread = 0;
    }
    if (r == 0)
        r = join(floors, hf_buf_view(&text), &err);
    if (r < 0 && r != -ENOENT)
        set_aside(env, path, &err);
}

/* Returns false while the file has floors that nobody knows. */
static bool can_judge(struct hf_trust_floors *floors, struct hf_err *err)
{
    char path[PATH_MAX];

    if (floors->unread < 0 && hf_mono_ns(floors->env->world.clock) >= floors->read_again_ns)
        read_file(floors);
    if (floors->unread < 0)
        (void)hf_err_set(err, -floors->unread,
                         "the floors in '%.150s' cannot be read: %s; after an hour the agent goes on without them",
                         hf_home_path(floors->env->params->home, floors->kind->file, path), strerror(-floors->unread));
    return floors->unread == 0;
}

static void join_copies(struct hf_trust_floors *floors)
{
    const struct hf_agent_env *env = floors->env;
    const struct hf_target target = copy_target(floors);
    struct hf_err err = HF_ERR_INIT;

    if (target.roots == NULL)
        return;
    if (hf_floor_copy_read(&target, max_bytes(floors) + 200, join, floors, &err) < 0)
        hf_log_err(env->world.log, HF_LOG_WARNING, "policy.copy_not_read", "file", floors->kind->copy, &err);
    if (floors->unsaved) /* the next policy that is accepted writes the file */
        hf_log(env->world.log, HF_LOG_WARNING, "policy.floors_restored", HF_D("policies", floors->floors.n));
}

/* Merges a floor with the one that the guard has, which may come from a record that the TPM has sealed. */
static void join_guard(struct hf_trust_floors *floors, const char *name, uint64_t sequence, const char *sha256)
{
    struct hf_sequence_history history = {.top.sequence = sequence};

    (void)snprintf(history.top.digest, sizeof(history.top.digest), "%s", sha256);
    history.current = history.top;
    hf_floor_guard_join(floors->env->floors, floors->kind->copy, name, &history);
    if (history.top.sequence <= sequence || history.top.digest[0] == '\0')
        return;
    floors->unsaved = true;
    if (set_floor(floors, name, history.top.sequence, history.top.digest) == NULL)
        hf_log(floors->env->world.log, HF_LOG_ERROR, "policy.floors_lost", HF_S("name", name));
}

void hf_trust_floors_init(struct hf_trust_floors *floors, const struct hf_agent_env *env,
                          const struct hf_trust_floors_kind *kind)
{
    *floors = (struct hf_trust_floors){.env = env, .kind = kind, .floors = {.free_value = free}};
    read_file(floors);
    floors->unsaved = false;
    join_copies(floors);
    for (size_t i = 0; i < floors->floors.n; i++) {
        const struct floor_entry *floor = floors->floors.entries[i].value;
        join_guard(floors, floors->floors.entries[i].key, floor->sequence, floor->sha256);
    }
}

void hf_trust_floors_done(struct hf_trust_floors *floors)
{
    hf_strmap_done(&floors->floors);
}

/* ---- one name ---------------------------------------------------------------------------------------------------- */

const char *hf_trust_floors_accept(struct hf_trust_floors *floors, const char *name, uint64_t sequence,
                                   struct hf_view message, struct hf_err *err)
{
    char sha256[HF_SHA256_HEX];
    struct hf_err failure = HF_ERR_INIT;

    if (!can_judge(floors, err))
        return "FloorsUnreadable";
    const struct floor_entry *floor = hf_strmap_get(&floors->floors, name);
    join_guard(floors, name, floor != NULL ? floor->sequence : 0, floor != NULL ? floor->sha256 : "");
    floor = hf_strmap_get(&floors->floors, name);
    (void)hf_sha256_hex(message.p, message.n, sha256);
    if (floor != NULL && sequence < floor->sequence) {
        (void)hf_err_set(err, ESTALE, "its sequence %" PRIu64 " is below %" PRIu64 ", which this node has accepted",
                         sequence, floor->sequence);
        return "SequenceTooLow";
    }
    if (floor != NULL && sequence == floor->sequence && strcmp(floor->sha256, sha256) != 0) {
        (void)hf_err_set(err, ESTALE, "this node has accepted another %s with sequence %" PRIu64, floors->kind->what,
                         sequence);
        return "SequenceTaken";
    }
    if (floor != NULL && sequence == floor->sequence && !floors->unsaved)
        return NULL;
    if (set_floor(floors, name, sequence, sha256) == NULL) {
        (void)hf_err_set(err, ENOSPC, "this node remembers at most %u signed %s", floors->kind->max,
                         floors->kind->whats);
        return "TooMany";
    }
    join_guard(floors, name, sequence, sha256);
    floors->unsaved = save(floors, &failure) < 0;
    if (floors->unsaved) /* the floor holds in this process, and the next call writes the file again */
        hf_log_err(floors->env->world.log, HF_LOG_ERROR, "policy.floor_not_written", floors->kind->what, name,
                   &failure);
    return NULL;
}
