/* SPDX-License-Identifier: Apache-2.0 */
/* Selects the method: a chain of deltas or the whole file; explains where it is not the shortest chain. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "share/share.h"
#include "steps/access.h"
#include "update/install/tree.h"
#include "update/release.h"
#include "update/rules/delta_chain.h"

enum { FROM_DIGITS = 12 }; /* digits of a hash in messages */
#define MIB (UINT64_C(1) << 20)

const struct hf_artifact *method_artifact(const struct release *release)
{
    return release->wanted.accepted != NULL
               ? hf_release_artifact(&release->wanted.accepted->release, release->engine->p.arch)
               : NULL;
}

/* Hash by which deltas name the installed file, or the archive of the installed folder; "": none. */
static const char *installed_sha256(const struct release *release, char tree[HF_SHA256_HEX])
{
    const struct hf_journal *j = &release->j;

    if (!j->had_old)
        return "";
    if (j->kind == HF_INSTALL_FILE)
        return j->old_sha256;
    return hf_tree_link_parse(j->name, j->old_link, tree) ? tree : "";
}

/* Finds the chain from the installed file, or from the intermediate file if an attempt made one. False: fetch the whole
 * file. */
static bool find_chain(const struct release *release, const struct hf_delta_room *room, const char *avoid,
                       struct hf_delta_chain *ret_chain)
{
    const struct hf_artifact *artifact = method_artifact(release);
    char tree[HF_SHA256_HEX];

    if (artifact == NULL || release->j.no_delta)
        return false;
    if (release->attempt.step_sha256[0] != '\0')
        return hf_delta_chain_find(artifact, release->attempt.step_sha256, release->attempt.step_bytes, room, avoid,
                                   ret_chain);
    return hf_delta_chain_find(artifact, installed_sha256(release, tree), 0, room, avoid, ret_chain);
}

static bool chain_of(const struct release *release, struct hf_delta_chain *ret_chain)
{
    const struct hf_delta_room room = {release->attempt.room.bytes, release->attempt.disk_room};

    return find_chain(release, &room, release->j.avoid, ret_chain);
}

const struct hf_delta_ref *method_delta(const struct release *release)
{
    struct hf_delta_chain chain;

    return chain_of(release, &chain) ? chain.deltas[0] : NULL;
}

/* ---- why not the shortest chain ---------------------------------------------------------------------------------- */

static void set_detour(struct release *release, const char *format, ...) HF_PRINTF(2, 3);

static void set_detour(struct release *release, const char *format, ...)
{
    struct hf_journal *j = &release->j;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(j->detour, sizeof(j->detour), format, args);
    va_end(args);
    j->detour[hf_utf8_prefix(j->detour, strlen(j->detour))] = '\0';
}

static const char *instead(const struct release *release)
{
    return release->j.method == HF_METHOD_DELTA ? "takes another delta" : "takes the whole file";
}

static void explain_limit(struct release *release, const struct hf_delta_ref *delta)
{
    const struct hf_room *room = &release->attempt.room;

    if (delta->needs.memory_bytes > room->bytes)
        set_detour(release, "the delta from %.*s needs %" PRIu64 " MiB of memory, %" PRIu64 " MiB may be used (%s): %s",
                   FROM_DIGITS, delta->from, (delta->needs.memory_bytes + MIB - 1) / MIB, room->bytes / MIB,
                   room->bound, instead(release));
    else
        set_detour(release, "the delta from %.*s needs more disk than may be used: %s", FROM_DIGITS, delta->from,
                   instead(release));
}

/* True, with the detour set, if memory or disk rules out a shorter chain. */
static bool explain_room(struct release *release)
{
    const struct hf_delta_room all = {UINT64_MAX, UINT64_MAX};
    struct hf_delta_chain best, taken = {.n = 0};
    size_t i = 0;

    if (!find_chain(release, &all, release->j.avoid, &best))
        return false;
    if (chain_of(release, &taken) && taken.bytes <= best.bytes)
        return false;
    while (i + 1 < best.n && best.deltas[i]->needs.memory_bytes <= release->attempt.room.bytes)
        i++;
    explain_limit(release, best.deltas[i]);
    return true;
}

static const struct hf_delta_ref *find_delta(const struct hf_artifact *artifact, const char *sha256)
{
    for (size_t i = 0; artifact != NULL && i < artifact->n_deltas; i++)
        if (strcmp(artifact->deltas[i].sha256, sha256) == 0)
            return &artifact->deltas[i];
    for (size_t i = 0; artifact != NULL && i < artifact->n_steps; i++)
        if (strcmp(artifact->steps[i].sha256, sha256) == 0)
            return &artifact->steps[i];
    return NULL;
}

/* Does not use this delta again for the release. */
static void avoid(struct release *release, const char *sha256)
{
    if (!hf_delta_chain_avoid(release->j.avoid, sha256))
        release->j.no_delta = true;
}

static void explain_death(struct release *release, const struct delta_death *death)
{
    if (death->oom)
        set_detour(release, "the kernel killed the agent for lack of memory while it applied the delta from %.*s: %s",
                   FROM_DIGITS, death->from, instead(release));
    else if (death->times > 1)
        set_detour(release, "the agent died %u times while it applied the delta from %.*s: %s", death->times,
                   FROM_DIGITS, death->from, instead(release));
    else
        set_detour(release, "the agent died while it applied the delta from %.*s: %s", FROM_DIGITS, death->from,
                   instead(release));
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

/* Starts from the intermediate file of an earlier attempt if the remaining deltas are no longer than those from the
 * installed file. */
static void choose(struct release *release)
{
    const struct hf_swap_inspection *seen = &release->attempt.seen;
    struct hf_delta_chain from_old, from_step;

    release->attempt.step_sha256[0] = '\0';
    bool old = chain_of(release, &from_old);
    memcpy(release->attempt.step_sha256, seen->step_sha256, sizeof(release->attempt.step_sha256));
    release->attempt.step_bytes = seen->step_bytes;
    bool step = seen->step_sha256[0] != '\0' && chain_of(release, &from_step);
    if (!step || (old && from_old.bytes < from_step.bytes))
        release->attempt.step_sha256[0] = '\0';
    assert(old || step || release->attempt.step_sha256[0] == '\0');
    release->j.method = old || step ? HF_METHOD_DELTA : HF_METHOD_FULL;
}

/* True if this release lists the delta that killed the agent and still uses it. */
static bool is_in_use(const struct release *release, const struct delta_death *death,
                      const struct hf_delta_ref **ret_delta)
{
    if (death->times == 0 || release->j.no_delta || hf_delta_chain_avoids(release->j.avoid, death->delta))
        return false;
    *ret_delta = find_delta(method_artifact(release), death->delta);
    return *ret_delta != NULL;
}

enum hf_reason method_choose(struct release *release, struct delta_death *death)
{
    const struct hf_delta_ref *delta = NULL;
    bool gives_up = is_in_use(release, death, &delta);

    if (gives_up)
        avoid(release, death->delta);
    choose(release);
    if (gives_up) {
        (void)snprintf(death->from, sizeof(death->from), "%s", delta->from);
        explain_death(release, death);
        return HF_R_DeltaKilled;
    }
    if (explain_room(release))
        return HF_R_DeltaUnfit;
    if (release->j.avoid[0] == '\0' && !release->j.no_delta)
        release->j.detour[0] = '\0';
    return HF_R_Downloading;
}

void method_drop_delta(struct release *release, const struct hf_err *err)
{
    const struct hf_delta_ref *delta = method_delta(release);
    struct hf_journal *j = &release->j;
    struct hf_delta_chain chain;

    if (delta == NULL) {
        method_use_whole_file(release);
        return;
    }
    avoid(release, delta->sha256);
    if (!chain_of(release, &chain)) /* no chain from the intermediate file: from the installed one */
        release->attempt.step_sha256[0] = '\0';
    assert(j->no_delta || hf_delta_chain_avoids(j->avoid, delta->sha256)); /* so this ends */
    j->method = chain_of(release, &chain) ? HF_METHOD_DELTA : HF_METHOD_FULL;
    set_detour(release, "the delta from %.*s: %s: %s", FROM_DIGITS, delta->from, err->cause, instead(release));
}

void method_use_whole_file(struct release *release)
{
    release->j.no_delta = true;
    release->j.method = HF_METHOD_FULL;
}

/* ---- neighbours -------------------------------------------------------------------------------------------------- */

bool method_is_private(const struct hf_update_engine *engine, const struct hf_artifact *artifact)
{
    bool private_ = hf_access_is_private(engine->p.access, artifact->url);

    for (size_t i = 0; !private_ && i < artifact->n_deltas; i++)
        private_ = hf_access_is_private(engine->p.access, artifact->deltas[i].url);
    for (size_t i = 0; !private_ && i < artifact->n_steps; i++)
        private_ = hf_access_is_private(engine->p.access, artifact->steps[i].url);
    return private_;
}

bool method_may_be_neighbour(const struct release *release)
{
    const struct hf_artifact *artifact = method_artifact(release);

    return hf_share_is_on(release->engine->p.share) && artifact != NULL &&
           !method_is_private(release->engine, artifact) && strncmp(artifact->url, "file:", 5) != 0;
}
