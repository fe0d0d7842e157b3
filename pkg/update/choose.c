/* Which way to the new file: by which deltas, or as a whole; and why not by the shortest. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/utf8.h"
#include "update/install/tree.h"
#include "update/release.h"
#include "update/rules/delta_chain.h"

enum { FROM_DIGITS = 12 }; /* of a hash, for a person */
#define MIB (UINT64_C(1) << 20)

const struct hf_artifact *release_artifact(const struct release *release)
{
    return release->update != NULL ? hf_release_artifact(&release->update->release, release->engine->p.arch) : NULL;
}

/* Hash that deltas know what is installed by; "" none. A folder goes by its archive's. */
static const char *installed_sha256(const struct release *release, char tree[HF_SHA256_HEX])
{
    const struct hf_journal *j = &release->j;

    if (!j->had_old)
        return "";
    if (j->kind != HF_INSTALL_TREE)
        return j->old_sha256;
    return hf_tree_link_parse(j->name, j->old_link, tree) ? tree : "";
}

/* The way to the new file by deltas from what is installed, or from a file between that was made on it; false: the whole file. */
static bool way_in(const struct release *release, const struct hf_plan_room *room, const char *avoid,
                   struct hf_delta_chain *ret_way)
{
    const struct hf_artifact *artifact = release_artifact(release);
    char tree[HF_SHA256_HEX];

    if (artifact == NULL || release->j.no_delta)
        return false;
    if (release->step_sha256[0] != '\0')
        return hf_delta_chain_find(artifact, release->step_sha256, release->step_bytes, room, avoid, ret_way);
    return hf_delta_chain_find(artifact, installed_sha256(release, tree), 0, room, avoid, ret_way);
}

static bool way_of(const struct release *release, struct hf_delta_chain *ret_way)
{
    const struct hf_plan_room room = {release->room.bytes, release->disk_room};

    return way_in(release, &room, release->j.avoid, ret_way);
}

const struct hf_delta_ref *release_delta(const struct release *release)
{
    struct hf_delta_chain way;

    return way_of(release, &way) ? way.deltas[0] : NULL;
}

/* ---- why not the shortest ----------------------------------------------------------------------------------------------- */

static void say(struct release *release, const char *format, ...) HF_PRINTF(2, 3);

static void say(struct release *release, const char *format, ...)
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

static void say_room(struct release *release, const struct hf_delta_ref *delta)
{
    const struct hf_room *room = &release->room;

    if (delta->needs.memory_bytes > room->bytes)
        say(release, "the delta from %.*s needs %" PRIu64 " MiB of memory, %" PRIu64 " MiB may be used (%s): %s",
            FROM_DIGITS, delta->from, (delta->needs.memory_bytes + MIB - 1) / MIB, room->bytes / MIB, room->bound,
            instead(release));
    else
        say(release, "the delta from %.*s needs more disk than may be used: %s", FROM_DIGITS, delta->from,
            instead(release));
}

/* With room for everything, would there be a shorter way? */
static bool explain_room(struct release *release)
{
    const struct hf_plan_room all = {UINT64_MAX, UINT64_MAX};
    struct hf_delta_chain best, taken = {.n = 0};
    size_t i = 0;

    if (!way_in(release, &all, release->j.avoid, &best))
        return false;
    if (way_of(release, &taken) && taken.bytes <= best.bytes)
        return false;
    while (i + 1 < best.n && best.deltas[i]->needs.memory_bytes <= release->room.bytes)
        i++;
    say_room(release, best.deltas[i]);
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

/* It is not tried again for this release. */
static void avoid(struct release *release, const char *sha256)
{
    if (!hf_delta_chain_avoid(release->j.avoid, sha256))
        release->j.no_delta = true;
}

static void say_death(struct release *release, const struct death *death)
{
    if (death->oom)
        say(release, "the kernel ended the agent for lack of memory while it applied the delta from %.*s: %s",
            FROM_DIGITS, death->from, instead(release));
    else if (death->times > 1)
        say(release, "the agent died %u times while it applied the delta from %.*s: %s", death->times, FROM_DIGITS,
            death->from, instead(release));
    else
        say(release, "the agent died while it applied the delta from %.*s: %s", FROM_DIGITS, death->from,
            instead(release));
}

/* ---- the choice --------------------------------------------------------------------------------------------------------- */

/* From a file between, when an earlier attempt made one and what is left is no longer than from what is installed. */
static void choose(struct release *release)
{
    const struct hf_swap_inspection *seen = &release->seen;
    struct hf_delta_chain from_old, from_step;

    release->step_sha256[0] = '\0';
    bool old = way_of(release, &from_old);
    memcpy(release->step_sha256, seen->step_sha256, sizeof(release->step_sha256));
    release->step_bytes = seen->step_bytes;
    bool step = seen->step_sha256[0] != '\0' && way_of(release, &from_step);
    if (!step || (old && from_old.bytes < from_step.bytes))
        release->step_sha256[0] = '\0';
    release->j.method = old || step ? HF_METHOD_DELTA : HF_METHOD_FULL;
}

/* A delta that this release lists, and that is tried still. */
static bool is_tried(const struct release *release, const struct death *death, const struct hf_delta_ref **ret_delta)
{
    if (death->times == 0 || release->j.no_delta || hf_delta_chain_avoids(release->j.avoid, death->delta))
        return false;
    *ret_delta = find_delta(release_artifact(release), death->delta);
    return *ret_delta != NULL;
}

enum hf_reason release_choose_way(struct release *release, struct death *death)
{
    const struct hf_delta_ref *delta = NULL;
    bool gives_up = is_tried(release, death, &delta);

    if (gives_up)
        avoid(release, death->delta);
    choose(release);
    if (gives_up) {
        (void)snprintf(death->from, sizeof(death->from), "%s", delta->from);
        say_death(release, death);
        return HF_R_DeltaKilled;
    }
    if (explain_room(release))
        return HF_R_DeltaUnfit;
    if (release->j.avoid[0] == '\0' && !release->j.no_delta)
        release->j.detour[0] = '\0';
    return HF_R_Downloading;
}

/* What it needs is known better now that it was begun with: it does not fit this node. */
void release_delta_unfit(struct release *release, const struct hf_err *err)
{
    const struct hf_delta_ref *delta = release_delta(release);
    struct hf_journal *j = &release->j;
    struct hf_delta_chain way;

    if (delta == NULL) {
        release_delta_bad(release);
        return;
    }
    avoid(release, delta->sha256);
    if (!way_of(release, &way)) /* not from the file between: from what is installed */
        release->step_sha256[0] = '\0';
    j->method = way_of(release, &way) ? HF_METHOD_DELTA : HF_METHOD_FULL;
    say(release, "the delta from %.*s: %s: %s", FROM_DIGITS, delta->from, err->cause, instead(release));
}

void release_delta_bad(struct release *release)
{
    release->j.no_delta = true;
    release->j.method = HF_METHOD_FULL;
}
