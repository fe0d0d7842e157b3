/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine knows of one EdgeUpdate: the object, its rollout, and arrays with one element a node.
 *
 * A newer version of the object replaces the old one, a late one is refused (-ESTALE). For another uid, or after the
 * store went back, what is known of writes is forgotten; the state of a rollout that continues stays, and the next
 * decision writes it again. An object that is not valid keeps its place, with what is wrong with it.
 *
 * Nodes are selected, placed and grouped in steps with a budget, so that a large fleet does not hold up the process.
 * The notes have the words of nodes that failed, and of one node with trouble on its way: always the same one while
 * it lasts, so that the text in the status does not change with every report. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "api/update/reason.h"
#include "base/encoding/utf8.h"
#include "rollout/engine_impl.h"

int hf_rollout_track_new(const char *name, struct track **ret_track)
{
    struct track *track = calloc(1, sizeof(*track));

    if (track == NULL)
        return -ENOMEM;
    track->name = strdup(name);
    track->uid = strdup("");
    track->resource_version = strdup("");
    if (track->name == NULL || track->uid == NULL || track->resource_version == NULL) {
        hf_rollout_track_free(track);
        return -ENOMEM;
    }
    *ret_track = track;
    return 0;
}

void hf_rollout_track_free(struct track *track)
{
    if (track == NULL)
        return;
    hf_edgeupdate_free(track->update);
    json_decref(track->json);
    hf_label_match_done(&track->select);
    hf_label_match_done(&track->canary);
    free(track->slots);
    free(track->classes);
    free(track->since);
    free(track->groups);
    free(track->name);
    free(track->uid);
    free(track->resource_version);
    free(track);
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

/* True if nodes must be selected, placed and grouped again. */
static bool nodes_differ(const struct hf_edgeupdate *a, const struct hf_edgeupdate *b)
{
    static const char *const paths[] = {"spec.nodeSelector", "spec.strategy.canary.nodeSelector",
                                        "spec.strategy.disruption.groupBy"};

    if (a == NULL || strcmp(a->release.digest, b->release.digest) != 0)
        return true;
    for (size_t i = 0; i < HF_LEN(paths); i++) {
        json_t *x = hf_json_mutable(hf_json_at(a->json, paths[i])), *y = hf_json_mutable(hf_json_at(b->json, paths[i]));
        if (x != y && (x == NULL || y == NULL || !json_equal(x, y)))
            return true;
    }
    return false;
}

static int take_spec(struct track *track, struct hf_edgeupdate *update)
{
    bool differ = nodes_differ(track->update, update);
    bool renewed = track->update == NULL || strcmp(track->update->release.digest, update->release.digest) != 0 ||
                   strcmp(track->update->selector_hash, update->selector_hash) != 0;
    struct hf_label_match select = {0}, canary = {0};
    int r = differ ? hf_label_match_init(&select, &update->node_selector) : 0;

    if (r == 0 && differ)
        r = hf_label_match_init(&canary, &update->canary_selector);
    if (r < 0) {
        hf_label_match_done(&select);
        hf_edgeupdate_free(update);
        return r;
    }
    if (differ) {
        hf_label_match_done(&track->select);
        hf_label_match_done(&track->canary);
        track->select = select;
        track->canary = canary;
        track->prepared = 0;
    }
    if (renewed) {
        track->n_notes = 0;
        track->trouble.reason[0] = '\0';
        track->claimed = track->write.in_doubt = false;
        if (track->cap > 0)
            memset(track->classes, HF_CLASS_OUTSIDE, track->cap);
    }
    hf_edgeupdate_free(track->update);
    track->update = update;
    track->digest = hf_fleet_digest_key(update->release.digest);
    track->release = hf_fleet_release_key(update->release.name);
    track->limits = (struct hf_rollout_limits){update->unknown_after_ns, update->progress_deadline_ns};
    hf_rollout_spec_of(update, &track->spec);
    if (!update->has_disruption) {
        free(track->groups);
        track->groups = NULL;
    } else if (track->groups == NULL && track->cap > 0) {
        track->groups = calloc(track->cap, sizeof(*track->groups));
        track->prepared = 0;
        if (track->groups == NULL)
            return -ENOMEM;
    }
    return 0;
}

static void refuse(struct track *track, const struct hf_issues *issues)
{
    (void)snprintf(track->refused, sizeof(track->refused), "%s: %.300s",
                   issues->n_errors > 0 ? issues->errors[0].path : "object",
                   issues->n_errors > 0 ? issues->errors[0].text : "cannot be read");
    hf_utf8_trim(track->refused);
    hf_edgeupdate_free(track->update);
    track->update = NULL;
    track->claimed = track->write.in_doubt = false;
    track->counts = (struct hf_rollout_counts){0};
}

static int set_text(char **at, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return -ENOMEM;
    free(*at);
    *at = copy;
    return 0;
}

/* The object was made again, or the store was restored: writes that were decided before tell nothing about it. The
 * state of a rollout that goes on stays as this leader knows it, and the next decision writes it again. */
static void forget_writes(struct track *track)
{
    track->write.id = 0;
    track->write.in_doubt = false;
}

int hf_rollout_track_take(struct track *track, json_t *json, uint64_t decided_on)
{
    const char *uid = hf_json_str_or(json, "metadata.uid", "");
    const char *text = hf_json_str_or(json, "metadata.resourceVersion", "");
    struct hf_edgeupdate *update = NULL;
    static struct hf_issues issues;
    bool is_other = strcmp(uid, track->uid) != 0;
    struct hf_object_version version = {0};
    int r;

    if (!is_other)
        version = track->version;
    enum hf_version_age age = hf_object_version_take(&version, hf_object_version_number(text), decided_on);
    if (age == HF_VERSION_LATE) {
        track->version = version;
        return -ESTALE;
    }
    r = hf_edgeupdate_decode(json, &update, &issues);
    if (r == -ENOMEM || set_text(&track->uid, uid) < 0 || set_text(&track->resource_version, text) < 0) {
        hf_edgeupdate_free(update);
        return -ENOMEM;
    }
    if (is_other || age == HF_VERSION_REWOUND)
        forget_writes(track);
    if (is_other) {
        track->claimed = track->turn_held = false;
        track->write.sent_ns = track->write.retry_ns = 0;
    }
    track->version = version;
    track->generation = hf_json_int_or(json, "metadata.generation", 0);
    json_incref(json);
    json_decref(track->json);
    track->json = json;
    track->dirty = true;
    if (r < 0) {
        refuse(track, &issues);
        return 0;
    }
    return take_spec(track, update);
}

/* ---- the arrays -------------------------------------------------------------------------------------------------- */

static int grow_array(void **array, size_t each, size_t from, size_t to)
{
    char *grown = realloc(*array, each * to);

    if (grown == NULL)
        return -ENOMEM;
    memset(grown + each * from, 0, each * (to - from));
    *array = grown;
    return 0;
}

#define GROW(member) grow_array((void **)&track->member, sizeof(*track->member), track->cap, cap)

int hf_rollout_track_grow(struct track *track, size_t n)
{
    size_t cap = n + HF_MIN(n / 4, (size_t)4096);

    if (n <= track->cap)
        return 0;
    if (GROW(slots) < 0 || GROW(classes) < 0 || GROW(since) < 0)
        return -ENOMEM;
    if ((track->groups != NULL || (track->update != NULL && track->update->has_disruption)) && GROW(groups) < 0)
        return -ENOMEM;
    track->cap = cap;
    return 0;
}

static void place(struct track *track, const struct hf_fleet *fleet, uint32_t id)
{
    const struct hf_fleet_node *node = &fleet->nodes[id];
    unsigned slot;

    track->slots[id] = 0;
    if (node->name == NULL)
        return;
    if (track->groups != NULL) {
        const char *value = hf_label_pool_value(&fleet->pool, node->labels, track->update->group_by, node->name);
        track->groups[id] = value != NULL ? hf_id_table_hash(value, strlen(value)) | 1 : 0;
    }
    if (!(node->flags & HF_FLEET_HAS_NODE) ||
        !hf_label_match_test(&track->select, &fleet->pool, node->labels, node->name))
        return;
    slot = hf_admission_slot(node->name, track->update->release.digest) | HF_ENGINE_SELECTED;
    if (track->update->has_canary && hf_label_match_test(&track->canary, &fleet->pool, node->labels, node->name))
        slot |= HF_ENGINE_CANARY;
    track->slots[id] = (uint16_t)slot;
}

size_t hf_rollout_track_prepare(struct track *track, const struct hf_fleet *fleet, size_t budget)
{
    size_t n = 0;

    if (track->update == NULL)
        return 0;
    for (; n < budget && track->prepared < fleet->n_slots; n++)
        place(track, fleet, track->prepared++);
    return n;
}

void hf_rollout_track_node(struct track *track, const struct hf_fleet *fleet, uint32_t id, bool is_new, uint32_t now_s)
{
    if (is_new) {
        track->classes[id] = HF_CLASS_OUTSIDE;
        track->since[id] = now_s;
        track->slots[id] = 0;
    }
    if (track->update != NULL && id < track->prepared)
        place(track, fleet, id);
    track->dirty = true;
}

/* ---- words of nodes ---------------------------------------------------------------------------------------------- */

static void cut(char *out, size_t n, const char *text)
{
    size_t length = strlen(text) < n ? strlen(text) : hf_utf8_prefix(text, n - 1);

    memcpy(out, text, length);
    out[length] = '\0';
}

static struct note *note_of(struct track *track, uint32_t id)
{
    for (size_t i = 0; i < track->n_notes; i++)
        if (track->notes[i].node == id)
            return &track->notes[i];
    if (track->n_notes == HF_ENGINE_NOTES)
        return NULL;
    track->notes[track->n_notes] = (struct note){.node = id};
    return &track->notes[track->n_notes++];
}

static void fill(struct note *note, const json_t *entry)
{
    cut(note->reason, sizeof(note->reason), hf_json_str_or(entry, "reason", ""));
    cut(note->message, sizeof(note->message), hf_json_str_or(entry, "message", ""));
}

/* A node that tries again says in turns why it waits, and that it works: its trouble ends when it gets beyond the
 * download. One node at a time, so that the text stays. */
static void note_trouble(struct track *track, uint32_t id, enum hf_phase phase, const json_t *entry)
{
    struct note *trouble = &track->trouble;
    bool is_here = phase == HF_PHASE_WAITING || phase == HF_PHASE_FETCHING || phase == HF_PHASE_PATCHING ||
                   phase == HF_PHASE_VERIFIED;
    bool is_bad =
        is_here && hf_reason_level(phase, hf_reason_of(hf_json_str_or(entry, "reason", ""))) >= HF_LOG_WARNING;

    if (is_bad && (trouble->reason[0] == '\0' || trouble->node == id)) {
        trouble->node = id;
        fill(trouble, entry);
    } else if (trouble->node == id && phase != HF_PHASE_WAITING && phase != HF_PHASE_FETCHING) {
        trouble->reason[0] = '\0';
    }
}

void hf_rollout_track_notes(struct track *track, uint32_t id, const json_t *edgenode)
{
    const json_t *list = hf_json_at(edgenode, "status.updates");

    for (size_t i = 0; i < json_array_size(list) && track->update != NULL; i++) {
        const json_t *entry = json_array_get(list, i);
        enum hf_phase phase = hf_phase_of(hf_json_str_or(entry, "phase", ""));
        if (strcmp(hf_json_str_or(entry, "digest", ""), track->update->release.digest) != 0)
            continue;
        note_trouble(track, id, phase, entry);
        if (!hf_reason_is_failure(phase, hf_reason_of(hf_json_str_or(entry, "reason", ""))))
            continue;
        struct note *note = note_of(track, id);
        if (note == NULL)
            return;
        fill(note, entry);
    }
}
