/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller knows of each node, from its Node and its EdgeNode, in one record a node.
 *
 * A record exists while there is a Node or an EdgeNode of the name. The objects are not kept: a record has the
 * numbers that decisions need, and keys of release names and digests instead of texts.
 *
 * Reports may arrive late or twice. A status counts only if its sequence is news (is_news()), and an object only if
 * its version is not older than that on which a decision was based; a node whose state was lost counts anew after
 * two reports with rising sequences. The time of a report is the monotonic clock of this process; only for the first
 * report of a node its age is computed from the API server's clock. */
#include "rollout/fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/conditions.h"
#include "api/edgenode.h"
#include "api/field/text.h"
#include "api/meta.h"
#include "api/update/reason.h"
#include "base/clock.h"
#include "base/encoding/hex.h"
#include "base/parse.h"

enum { HF_FLEET_DEFAULT_INTERVAL = 300 }; /* seconds */

static uint32_t hash_of_node(const void *arg, uint32_t id)
{
    const struct hf_fleet *fleet = arg;

    return hf_id_table_hash(fleet->nodes[id].name, strlen(fleet->nodes[id].name));
}

struct name_key {
    const struct hf_fleet *fleet;
    const char *name;
};

static bool same_name(const void *arg, uint32_t id)
{
    const struct name_key *key = arg;

    return strcmp(key->fleet->nodes[id].name, key->name) == 0;
}

int hf_fleet_init(struct hf_fleet *fleet)
{
    *fleet = (struct hf_fleet){.free = HF_ID_NONE};
    fleet->table = (struct hf_id_table){.hash_of = hash_of_node, .arg = fleet};
    return hf_label_pool_init(&fleet->pool);
}

void hf_fleet_done(struct hf_fleet *fleet)
{
    for (size_t i = 0; i < fleet->n_slots; i++) {
        struct hf_fleet_node *node = &fleet->nodes[i];
        if (node->entries != NULL)
            hf_slab_give(&fleet->slab, node->entries, node->n_entries * sizeof(*node->entries));
        free(node->turns);
    }
    hf_slab_done(&fleet->slab);
    free(fleet->nodes);
    hf_id_table_done(&fleet->table);
    hf_label_pool_done(&fleet->pool);
    *fleet = (struct hf_fleet){.free = HF_ID_NONE};
}

uint32_t hf_fleet_seconds(uint64_t mono_ns)
{
    uint64_t s = mono_ns / HF_NS_PER_S;

    return (uint32_t)(s < UINT32_MAX - HF_FLEET_OFFSET_S ? s + HF_FLEET_OFFSET_S : UINT32_MAX);
}

uint64_t hf_fleet_release_key(const char *release)
{
    return hf_id_table_hash64(release, strlen(release)) & 0xffffffffffffull;
}

uint64_t hf_fleet_digest_key(const char *digest)
{
    uint64_t key = 0;

    if (digest == NULL || !hf_text_is_sha256(digest))
        return 0;
    for (size_t i = 0; i < 16; i++)
        key = key << 4 | (uint64_t)hf_hex_value(digest[i]);
    return key != 0 ? key : 1;
}

uint32_t hf_fleet_find(const struct hf_fleet *fleet, const char *name)
{
    return hf_id_table_find(&fleet->table, hf_id_table_hash(name, strlen(name)), same_name,
                            &(struct name_key){fleet, name});
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static int new_record(struct hf_fleet *fleet, const char *name, uint32_t now_s, uint32_t *ret_id)
{
    char *copy;
    uint32_t id = fleet->free;
    int r = hf_id_table_reserve(&fleet->table);

    if (r == 0 && id == HF_ID_NONE)
        r = fleet->n_slots == HF_FLEET_MAX ? -E2BIG : hf_slab_grow(fleet->nodes, fleet->n_slots, fleet->cap);
    if (r < 0)
        return r;
    copy = hf_slab_text(&fleet->slab, name);
    if (copy == NULL)
        return -ENOMEM;
    if (id == HF_ID_NONE)
        id = (uint32_t)fleet->n_slots++;
    else
        fleet->free = fleet->nodes[id].labels;
    fleet->nodes[id] = (struct hf_fleet_node){
        .name = copy, .interval_s = HF_FLEET_DEFAULT_INTERVAL, .heard_s = now_s, .gone_s = now_s};
    fleet->pool.sets[0].refs++;
    fleet->bytes += strlen(name) + 1;
    hf_id_table_add(&fleet->table, hf_id_table_hash(name, strlen(name)), id);
    *ret_id = id;
    return 0;
}

static int find_or_new(struct hf_fleet *fleet, const json_t *object, uint32_t now_s, uint32_t *ret_id)
{
    const char *name = hf_json_str_or(object, "metadata.name", "");

    if (name[0] == '\0' || strlen(name) > HF_API_MAX_NAME)
        return -EBADMSG;
    *ret_id = hf_fleet_find(fleet, name);
    return *ret_id != HF_ID_NONE ? 0 : new_record(fleet, name, now_s, ret_id);
}

static void set_entries(struct hf_fleet *fleet, struct hf_fleet_node *node, struct hf_fleet_entry *entries, size_t n)
{
    if (node->entries != NULL) {
        fleet->bytes -= node->n_entries * sizeof(*entries);
        hf_slab_give(&fleet->slab, node->entries, node->n_entries * sizeof(*entries));
    }
    node->entries = entries;
    node->n_entries = (uint8_t)n;
    if (entries != NULL)
        fleet->bytes += n * sizeof(*entries);
}

static void set_turns(struct hf_fleet *fleet, struct hf_fleet_node *node, struct hf_fleet_turns *turns)
{
    if (node->turns != NULL)
        fleet->bytes -= sizeof(*turns);
    free(node->turns);
    node->turns = turns;
    if (turns != NULL)
        fleet->bytes += sizeof(*turns);
}

static bool free_if_unused(struct hf_fleet *fleet, uint32_t id)
{
    struct hf_fleet_node *node = &fleet->nodes[id];

    if (node->flags & (HF_FLEET_HAS_NODE | HF_FLEET_HAS_EDGENODE))
        return false;
    hf_id_table_remove(&fleet->table, hash_of_node(fleet, id), id);
    hf_label_pool_release(&fleet->pool, node->labels);
    set_entries(fleet, node, NULL, 0);
    set_turns(fleet, node, NULL);
    fleet->bytes -= strlen(node->name) + 1;
    hf_slab_give(&fleet->slab, node->name, strlen(node->name) + 1);
    *node = (struct hf_fleet_node){.labels = fleet->free};
    fleet->free = id;
    return true;
}

int hf_fleet_take_node(struct hf_fleet *fleet, const json_t *json, uint32_t now_s, uint32_t *ret_id, bool *ret_changed)
{
    uint32_t id = 0, labels = 0;
    int r = find_or_new(fleet, json, now_s, &id);

    if (r < 0)
        return r;
    struct hf_fleet_node *node = &fleet->nodes[id];
    r = hf_label_pool_take(&fleet->pool, hf_json_at(json, "metadata.labels"), node->name, &labels);
    if (r < 0) {
        (void)free_if_unused(fleet, id);
        return r;
    }
    *ret_changed = !(node->flags & HF_FLEET_HAS_NODE) || labels != node->labels;
    fleet->n_nodes += !(node->flags & HF_FLEET_HAS_NODE);
    hf_label_pool_release(&fleet->pool, node->labels);
    node->labels = labels;
    node->flags |= HF_FLEET_HAS_NODE | HF_FLEET_NODE_SEEN;
    *ret_id = id;
    return 0;
}

bool hf_fleet_drop_node(struct hf_fleet *fleet, uint32_t id, uint32_t now_s)
{
    struct hf_fleet_node *node = &fleet->nodes[id];

    fleet->n_nodes -= (node->flags & HF_FLEET_HAS_NODE) != 0;
    node->flags &= (uint8_t)~HF_FLEET_HAS_NODE;
    node->gone_s = now_s;
    return free_if_unused(fleet, id);
}

bool hf_fleet_drop_edgenode(struct hf_fleet *fleet, uint32_t id)
{
    struct hf_fleet_node *node = &fleet->nodes[id];

    fleet->n_edgenodes -= (node->flags & HF_FLEET_HAS_EDGENODE) != 0;
    set_entries(fleet, node, NULL, 0);
    set_turns(fleet, node, NULL);
    node->flags &= HF_FLEET_HAS_NODE | HF_FLEET_NODE_SEEN;
    node->version = (struct hf_object_version){0};
    node->sequence = 0;
    node->epoch = node->paused_s = node->restarted = 0;
    node->interval_s = HF_FLEET_DEFAULT_INTERVAL;
    return free_if_unused(fleet, id);
}

/* ---- what an EdgeNode says --------------------------------------------------------------------------------------- */

static enum hf_fleet_wait wait_of(enum hf_phase phase, const char *reason)
{
    static const struct {
        const char *reason;
        enum hf_fleet_wait wait;
    } rows[] = {{"WindowClosed", HF_FLEET_WAIT_EXCUSED},
                {"Suspended", HF_FLEET_WAIT_EXCUSED},
                {"WriteBudgetUsed", HF_FLEET_WAIT_EXCUSED},
                {"NotAdmitted", HF_FLEET_WAIT_EXCUSED},
                {"Held", HF_FLEET_WAIT_HELD},
                {"HeldBack", HF_FLEET_HELD_BACK},
                {"TurnPending", HF_FLEET_WAIT_TURN}};

    if (phase != HF_PHASE_WAITING && phase != HF_PHASE_VERIFIED)
        return HF_FLEET_NO_WAIT;
    for (size_t i = 0; i < HF_LEN(rows); i++)
        if (strcmp(rows[i].reason, reason) == 0)
            return rows[i].wait;
    return HF_FLEET_NO_WAIT;
}

static int take_entries(struct hf_fleet *fleet, struct hf_fleet_node *node, const json_t *list)
{
    struct hf_fleet_entry found[HF_FLEET_ENTRIES], *copy = NULL;
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(list) && n < HF_FLEET_ENTRIES; i++) {
        const json_t *item = json_array_get(list, i);
        uint64_t digest = hf_fleet_digest_key(hf_json_str(item, "digest"));
        enum hf_phase phase = hf_phase_of(hf_json_str_or(item, "phase", ""));
        const char *reason = hf_json_str_or(item, "reason", "");
        if (digest == 0)
            continue;
        found[n++] = (struct hf_fleet_entry){
            .digest = digest,
            .release = hf_fleet_release_key(hf_json_str_or(item, "name", "")) & 0xffffffffffffull,
            .phase = (uint64_t)phase & 0xff,
            .wait = (uint64_t)wait_of(phase, reason) & 0x3f,
            .failed = hf_reason_is_failure(phase, hf_reason_of(reason)),
        };
    }
    if (n == node->n_entries && n > 0) {
        memcpy(node->entries, found, n * sizeof(*found));
        return 0;
    }
    if (n > 0 && (copy = hf_slab_take(&fleet->slab, n * sizeof(*copy))) == NULL)
        return -ENOMEM;
    if (n > 0)
        memcpy(copy, found, n * sizeof(*copy));
    set_entries(fleet, node, copy, n);
    return 0;
}

static int take_turns(struct hf_fleet *fleet, struct hf_fleet_node *node, const json_t *json)
{
    const json_t *list = hf_json_at(json, "spec.turns"), *notes = hf_json_at(json, "metadata.annotations");
    const char *freed = json_string_value(json_object_get(notes, HF_FLEET_FREE_ANNOTATION));
    struct hf_fleet_turns *turns = NULL;

    if (json_array_size(list) == 0) {
        set_turns(fleet, node, NULL);
        return 0;
    }
    turns = calloc(1, sizeof(*turns));
    if (turns == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < json_array_size(list) && turns->n < HF_FLEET_TURNS; i++) {
        const json_t *item = json_array_get(list, i);
        struct hf_fleet_turn *turn = &turns->turns[turns->n];
        const char *release = hf_json_str_or(item, "release", ""), *digest = hf_json_str_or(item, "digest", "");
        if (!hf_text_is_name(release) || !hf_text_is_sha256(digest))
            continue;
        memcpy(turn->release, release, strlen(release) + 1);
        memcpy(turn->digest, digest, strlen(digest) + 1);
        turn->freed = freed != NULL && strcmp(freed, digest) == 0;
        turns->n++;
    }
    set_turns(fleet, node, turns);
    return 0;
}

static bool marked_silent(const json_t *status)
{
    const json_t *ready = hf_conditions_find(json_object_get(status, "conditions"), "Ready");

    return strcmp(hf_json_str_or(ready, "reason", ""), "NodeSilent") == 0;
}

/* Decides if a status with this sequence is news. A sequence below the highest one is an old report that arrives late,
 * unless a higher one follows it that is also below: then the node counts anew. */
static bool is_news(struct hf_fleet_node *node, uint64_t sequence)
{
    uint32_t low = (uint32_t)sequence;

    if (sequence > node->sequence) {
        node->sequence = sequence;
        node->restarted = 0;
        return true;
    }
    if (sequence == node->sequence)
        return false;
    if (node->restarted == 0 || low <= node->restarted) {
        node->restarted = low;
        return false;
    }
    node->sequence = sequence;
    node->restarted = 0;
    return true;
}

static void take_interval(struct hf_fleet_node *node, const json_t *status)
{
    uint64_t s = hf_edgenode_interval_ns(status) / HF_NS_PER_S;

    node->interval_s = (uint16_t)HF_MIN(HF_MAX(s, 1), UINT16_MAX);
}

/* The age of the first report that this process sees, by the clock of the API server; a report from the future is
 * new. */
static uint32_t heard_at(const json_t *status, uint32_t now_s, uint64_t unix_ns)
{
    const char *text = hf_json_str(status, "observedTime");
    uint64_t observed = 0;

    if (unix_ns == 0 || text == NULL || hf_parse_time(text, &observed) < 0 || observed >= unix_ns)
        return now_s;
    uint64_t age_s = (unix_ns - observed) / HF_NS_PER_S;
    return (uint32_t)(now_s - HF_MIN(age_s, HF_FLEET_OFFSET_S));
}

static int take_status(struct hf_fleet *fleet, struct hf_fleet_node *node, const json_t *status, uint32_t now_s,
                       uint64_t unix_ns)
{
    bool first = !(node->flags & HF_FLEET_HAS_STATUS);
    const char *state = hf_json_str_or(status, "agent.state", "");
    int64_t sequence = hf_json_int_or(status, "sequence", 0);
    uint64_t known = node->sequence;
    uint32_t restarted = node->restarted;
    int r;

    node->flags =
        (uint8_t)(marked_silent(status) ? node->flags | HF_FLEET_MARKED_SILENT : node->flags & ~HF_FLEET_MARKED_SILENT);
    if (sequence <= 0 || !is_news(node, (uint64_t)sequence))
        return 0;
    r = take_entries(fleet, node, json_object_get(status, "updates"));
    if (r < 0) { /* the same report, when it comes again, is news */
        node->sequence = known;
        node->restarted = restarted;
        return r;
    }
    node->heard_s = heard_at(status, now_s, first ? unix_ns : 0);
    node->flags = (uint8_t)(state[0] != '\0' ? node->flags | HF_FLEET_RESTS : node->flags & ~HF_FLEET_RESTS);
    node->flags |= HF_FLEET_HAS_STATUS;
    take_interval(node, status);
    return 0;
}

static void mark_freed(struct hf_fleet_node *node, const json_t *json)
{
    const json_t *notes = hf_json_at(json, "metadata.annotations");
    const char *freed = json_string_value(json_object_get(notes, HF_FLEET_FREE_ANNOTATION));

    for (size_t i = 0; i < node->n_entries; i++)
        node->entries[i].freed =
            freed != NULL && hf_text_is_sha256(freed) && hf_fleet_digest_key(freed) == node->entries[i].digest;
}

/* Returns -ESTALE, or 0 and the versions that the record gets with this object. */
static int take_version(struct hf_fleet_node *node, const json_t *json, uint64_t decided_on,
                        struct hf_object_version *ret_version)
{
    uint64_t number = hf_object_version_number(hf_json_str_or(json, "metadata.resourceVersion", ""));
    struct hf_object_version version = node->version;

    if (hf_object_version_take(&version, number, decided_on) == HF_VERSION_LATE) {
        node->version = version;
        return -ESTALE;
    }
    *ret_version = version;
    return 0;
}

int hf_fleet_take_edgenode(struct hf_fleet *fleet, const json_t *json, uint64_t decided_on, uint32_t now_s,
                           uint64_t unix_ns, uint32_t *ret_id)
{
    struct hf_object_version version;
    uint32_t id = 0;
    int r = find_or_new(fleet, json, now_s, &id);

    if (r < 0)
        return r;
    struct hf_fleet_node *node = &fleet->nodes[id];
    int64_t epoch = hf_json_int_or(json, "spec.epoch", 0);
    if (decided_on == HF_VERSION_FROM_SOURCE)
        node->flags |= HF_FLEET_EDGENODE_SEEN;
    r = take_version(node, json, decided_on, &version);
    if (r < 0)
        return r;
    fleet->n_edgenodes += !(node->flags & HF_FLEET_HAS_EDGENODE);
    node->flags |= HF_FLEET_HAS_EDGENODE;
    *ret_id = id;
    r = take_turns(fleet, node, json);
    if (r == 0)
        r = take_status(fleet, node, json_object_get(json, "status"), now_s, unix_ns);
    if (r < 0)
        return r;
    mark_freed(node, json);
    node->epoch = epoch > 0 ? (uint32_t)HF_MIN((uint64_t)epoch, UINT32_MAX) : 0;
    if (node->version.shown != version.shown)
        node->paused_s = 0; /* what the server refused may be right for the new version */
    node->version = version;
    return 0;
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

const struct hf_fleet_entry *hf_fleet_entry(const struct hf_fleet_node *node, uint64_t digest)
{
    for (size_t i = 0; i < node->n_entries; i++)
        if (node->entries[i].digest == digest)
            return &node->entries[i];
    return NULL;
}

bool hf_fleet_moved_on(const struct hf_fleet_node *node, uint64_t release, uint64_t digest)
{
    bool other = false;

    for (size_t i = 0; i < node->n_entries; i++) {
        if (node->entries[i].digest == digest)
            return false;
        other = other || node->entries[i].release == release;
    }
    return other;
}

bool hf_fleet_has_turn(const struct hf_fleet_node *node, uint64_t digest)
{
    for (size_t i = 0; node->turns != NULL && i < node->turns->n; i++)
        if (hf_fleet_digest_key(node->turns->turns[i].digest) == digest)
            return true;
    return false;
}

size_t hf_fleet_bytes(const struct hf_fleet *fleet)
{
    return fleet->slab.bytes + fleet->cap * sizeof(*fleet->nodes) + fleet->table.cap * sizeof(uint32_t) +
           hf_label_pool_bytes(&fleet->pool);
}
