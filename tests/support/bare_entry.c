/* SPDX-License-Identifier: Apache-2.0 */
#include "support/bare_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void insist(bool met)
{
    if (!met)
        abort();
}

static uint64_t consider_nothing(struct hf_steer_core *core)
{
    (void)core;
    return HF_NEVER;
}

static void ignore(struct hf_steer_core *core)
{
    (void)core;
}

static void no_change(void *arg)
{
    (void)arg;
}

void hf_bare_init(struct hf_bare *bare, const char *json)
{
    static const struct hf_steer_engine steered = {
        .consider = consider_nothing, .changed = ignore, .gone = ignore, .one_job = true};
    struct hf_manifest_engine *engine = &bare->engine;

    *bare = (struct hf_bare){.loop = hf_simloop_new(0), .fs = hf_simfs_new()};
    bare->proc = hf_simproc_new(bare->loop, "node");
    engine->targets = manifest_engine_targets;
    engine->p.env.fs = hf_simfs_ops(bare->fs);
    engine->p.env.clock = hf_simproc_clock(bare->proc);
    engine->p.env.rng = hf_simproc_rand(bare->proc);
    engine->p.env.sched = hf_simproc_sched(bare->proc);
    engine->p.env.state_dir = HF_BARE_STATE;
    engine->p.env.node_name = "node-1";
    engine->p.env.retry_base_ns = HF_NS_PER_S;
    engine->p.env.retry_cap_ns = 60 * HF_NS_PER_S;
    engine->p.changed = no_change;
    engine->interval_ns = 300 * HF_NS_PER_S;
    engine->folder = (char *)(uintptr_t)HF_BARE_STATE "/manifests";
    insist(hf_steer_core_init(&engine->core, &steered, engine->p.env.sched, engine->p.env.clock, engine->p.env.rng) ==
           0);
    hf_simfs_mkdir(bare->fs, HF_BARE_FOLDER, 0700);
    bare->entry = entry_new(engine, "site");
    insist(bare->entry != NULL);
    if (json == NULL)
        return;
    json_t *value = json_loads(json, 0, NULL);
    insist(value != NULL && make_entry(value, &bare->entry->wanted, NULL) == 0 &&
           hf_manifest_source_key(value, bare->entry->content.wanted_from) == 0);
    json_decref(value);
}

void hf_bare_done(struct hf_bare *bare)
{
    hf_steer_core_close(&bare->engine.core);
    entry_free(bare->entry);
    hf_simproc_free(bare->proc);
    hf_simfs_free(bare->fs);
    hf_simloop_free(bare->loop);
}

struct hf_bundle *hf_bare_bundle(const char *path, const char *text, const char *secret_id)
{
    struct hf_bundle *bundle = hf_bundle_new();

    insist(bundle != NULL);
    bundle->secret = secret_id != NULL;
    insist(hf_bundle_add(bundle, path, 0644, (struct hf_view){text, strlen(text)}, NULL) == 0 &&
           hf_bundle_seal(bundle, NULL) == 0);
    if (secret_id != NULL)
        (void)snprintf(bundle->digest, sizeof(bundle->digest), "%s", secret_id);
    return bundle;
}
