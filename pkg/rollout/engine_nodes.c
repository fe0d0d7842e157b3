/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "api/edgenode.h"
#include "rollout/engine_impl.h"

enum { COLLECT_PERCENT = 30, COLLECT_AT_ONCE = 20 };

static uint32_t age_s(uint32_t since_s, uint32_t now_s)
{
    return now_s > since_s ? now_s - since_s : 0;
}

static bool is_silent(const struct hf_fleet_node *node, uint32_t now_s)
{
    return (node->flags & HF_FLEET_HAS_EDGENODE) && (node->flags & HF_FLEET_HAS_STATUS) &&
           !(node->flags & HF_FLEET_RESTS) &&
           age_s(node->heard_s, now_s) * HF_NS_PER_S > hf_edgenode_silent_after_ns(node->interval_s * HF_NS_PER_S);
}

static bool is_orphan(const struct hf_rollout_engine *engine, const struct hf_fleet_node *node, uint32_t now_s)
{
    return node->name != NULL && (node->flags & HF_FLEET_HAS_EDGENODE) && !(node->flags & HF_FLEET_HAS_NODE) &&
           age_s(node->gone_s, now_s) * HF_NS_PER_S > engine->params.collect_after_ns;
}

static int mark_silent(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    uint32_t now_s = hf_rollout_node_seconds(now), first = engine->silent_next;

    engine->n_silent = 0;
    for (uint32_t i = 0; i < engine->fleet.n_slots; i++) {
        uint32_t id = (uint32_t)((first + (size_t)i) % engine->fleet.n_slots);
        const struct hf_fleet_node *node = &engine->fleet.nodes[id];
        if (!is_silent(node, now_s))
            continue;
        engine->n_silent++;
        if ((node->flags & HF_FLEET_MARKED_SILENT) || node->version.shown == 0 || engine->params.keep_silent_nodes ||
            hf_rollout_must_wait(engine, id, now))
            continue;
        unsigned most = engine->params.silent_per_s;
        if (!hf_rollout_has_room(engine) || !hf_bucket_take(&engine->silents, most, HF_NS_PER_S / most, now->mono_ns)) {
            engine->nodes_looked_ns = 0;
            hf_rollout_due(engine, now->mono_ns + HF_NS_PER_S);
            continue;
        }
        engine->silent_next = id + 1; /* so that nodes whose mark the server refuses do not stand before the others */
        json_t *body = hf_rollout_silent_make(node, age_s(node->heard_s, now_s), now->unix_ns);
        int r = body == NULL ? -ENOMEM : hf_rollout_write_node(engine, HF_ROLLOUT_SILENT, id, body, NULL);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Many Nodes that leave at once are rather a mistake: of a selector, of a cloud provider, or of a list. */
static int collect(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    uint32_t now_s = hf_rollout_node_seconds(now);
    size_t orphans = 0, planned = 0;

    for (uint32_t id = 0; id < engine->fleet.n_slots; id++)
        orphans += is_orphan(engine, &engine->fleet.nodes[id], now_s);
    if (orphans == 0 ||
        (orphans > 1 && orphans * 100 > engine->fleet.n_edgenodes * COLLECT_PERCENT && !engine->allow_collect))
        return 0;
    for (uint32_t id = 0; id < engine->fleet.n_slots && planned < COLLECT_AT_ONCE; id++) {
        const struct hf_fleet_node *node = &engine->fleet.nodes[id];
        if (!is_orphan(engine, node, now_s) || hf_rollout_must_wait(engine, id, now) || !hf_rollout_has_room(engine))
            continue;
        int r = hf_rollout_write_node(engine, HF_ROLLOUT_COLLECT, id, NULL, NULL);
        if (r < 0)
            return r;
        planned++;
    }
    return 0;
}

int hf_rollout_plan_nodes(struct hf_rollout_engine *engine, const struct hf_rollout_now *now)
{
    int r;

    if (engine->nodes_looked_ns != 0 && now->mono_ns < engine->nodes_looked_ns + HF_ENGINE_LOOK_NS) {
        hf_rollout_due(engine, engine->nodes_looked_ns + HF_ENGINE_LOOK_NS);
        return 0;
    }
    engine->nodes_looked_ns = now->mono_ns;
    hf_rollout_due(engine, now->mono_ns + HF_ENGINE_LOOK_NS);
    r = mark_silent(engine, now);
    return r < 0 ? r : collect(engine, now);
}
