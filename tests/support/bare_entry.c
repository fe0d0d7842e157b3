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

static void no_timer(void *arg)
{
    (void)arg;
}

static void no_change(void *arg)
{
    (void)arg;
}

void hf_bare_init(struct hf_bare *bare, const char *json)
{
    struct hf_manifest_engine *engine = &bare->engine;

    *bare = (struct hf_bare){.loop = hf_simloop_new(0), .fs = hf_simfs_new()};
    bare->proc = hf_simproc_new(bare->loop, "node");
    engine->p.env.fs = hf_simfs_ops(bare->fs);
    engine->p.env.clock = hf_simproc_clock(bare->proc);
    engine->p.env.rng = hf_simproc_rand(bare->proc);
    engine->p.env.sched = hf_simproc_sched(bare->proc);
    engine->p.env.state_dir = HF_BARE_STATE;
    engine->p.env.node_name = "node-1";
    engine->p.env.retry_base_ns = HF_NS_PER_S;
    engine->p.env.retry_cap_ns = 60 * HF_NS_PER_S;
    engine->p.changed = no_change;
    engine->refs = 1;
    engine->wake_ns = HF_NEVER;
    engine->interval_ns = 300 * HF_NS_PER_S;
    engine->folder = (char *)(uintptr_t)HF_BARE_STATE "/manifests";
    engine->timer = engine->p.env.sched->timer_new(engine->p.env.sched->ctx, no_timer, engine);
    hf_simfs_mkdir(bare->fs, HF_BARE_FOLDER, 0700);
    bare->entry = entry_new(engine, "site");
    insist(engine->timer != NULL && bare->entry != NULL);
    if (json == NULL)
        return;
    json_t *value = json_loads(json, 0, NULL);
    insist(value != NULL && make_entry(value, &bare->entry->wanted, NULL) == 0 &&
           hf_manifest_source_key(value, bare->entry->content.wanted_from) == 0);
    json_decref(value);
}

void hf_bare_done(struct hf_bare *bare)
{
    const struct hf_sched_ops *sched = bare->engine.p.env.sched;

    bare->engine.closing = true;
    entry_free(bare->entry);
    sched->timer_free(sched->ctx, bare->engine.timer);
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
