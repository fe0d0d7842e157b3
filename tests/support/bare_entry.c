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
    engine->p.env.world = hf_simproc_world(bare->proc, hf_simfs_ops(bare->fs));
    engine->p.env.state_dir = HF_BARE_STATE;
    engine->p.env.node_name = "node-1";
    engine->p.env.retry_base_ns = HF_NS_PER_S;
    engine->p.env.retry_cap_ns = 60 * HF_NS_PER_S;
    engine->p.changed = no_change;
    engine->interval_ns = 300 * HF_NS_PER_S;
    engine->folder = (char *)(uintptr_t)HF_BARE_STATE "/manifests";
    insist(hf_steer_core_init(&engine->core, &steered, &engine->p.env.world) == 0);
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
    if (bare->host != NULL)
        hf_simhost_free(bare->host);
    hf_config_free(bare->config);
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

void hf_bare_set(struct hf_manifest_set *set, const char *json, const char *digest)
{
    hf_manifest_set_done(set);
    set->entry = json_loads(json, 0, NULL);
    (void)snprintf(set->digest, sizeof(set->digest), "%s", digest);
    insist(set->entry != NULL && hf_manifest_set_key(set, NULL) == 0);
}

void hf_bare_store(struct hf_bare *bare, struct hf_manifest_set *set, const char *json, const char *path,
                   const char *text)
{
    struct hf_bundle *bundle = hf_bare_bundle(path, text, NULL);
    char file[200];

    (void)snprintf(file, sizeof(file), HF_BARE_FOLDER "/b-%s", bundle->digest);
    insist(hf_bundle_save(hf_simfs_ops(bare->fs), file, bundle, NULL) == 0);
    hf_bare_set(set, json, bundle->digest);
    hf_bundle_free(bundle);
}

void hf_bare_run(struct hf_bare *bare)
{
    (void)hf_simloop_run_for(bare->loop, 10 * HF_NS_PER_S);
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

static struct hf_bare *bare_of(struct entry *entry)
{
    return hf_container_of(entry->engine, struct hf_bare, engine);
}

static void held_place(struct entry *entry)
{
    bare_of(entry)->acted[HF_MANIFEST_ACT_PLACE]++;
}

static void held_probe(struct entry *entry)
{
    bare_of(entry)->acted[HF_MANIFEST_ACT_PROBE]++;
}

static void held_commit(struct entry *entry)
{
    bare_of(entry)->acted[HF_MANIFEST_ACT_COMMIT]++;
}

static void held_roll_back(struct entry *entry)
{
    bare_of(entry)->acted[HF_MANIFEST_ACT_ROLLBACK]++;
}

static void held_clean(struct entry *entry)
{
    bare_of(entry)->acted[HF_MANIFEST_ACT_CLEAN]++;
}

void hf_bare_hold(struct hf_bare *bare)
{
    bare->actions = (struct entry_actions){.start = {[HF_MANIFEST_ACT_PLACE] = held_place,
                                                     [HF_MANIFEST_ACT_PROBE] = held_probe,
                                                     [HF_MANIFEST_ACT_COMMIT] = held_commit,
                                                     [HF_MANIFEST_ACT_ROLLBACK] = held_roll_back,
                                                     [HF_MANIFEST_ACT_CLEAN] = held_clean}};
    bare->entry->actions = &bare->actions;
}

/* ---- programs and units ------------------------------------------------------------------------------------------ */

static int run_program(void *arg, const char *const *argv, int *ret_exit_code)
{
    struct hf_bare *bare = arg;

    (void)argv;
    bare->execs++;
    *ret_exit_code = bare->answer.exit_code;
    return bare->answer.exec;
}

static int restart(void *arg, const char *unit)
{
    struct hf_bare *bare = arg;

    (void)unit;
    bare->restarts++;
    return bare->answer.restart;
}

static int reload(void *arg, const char *unit)
{
    struct hf_bare *bare = arg;

    (void)unit;
    bare->reloads++;
    return bare->answer.reload;
}

static int state_of(void *arg, const char *unit, const char **ret_active_state)
{
    struct hf_bare *bare = arg;

    (void)unit;
    *ret_active_state = bare->answer.active;
    return bare->answer.state;
}

static void note_notice(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text)
{
    struct hf_bare *bare = arg;

    insist(entry != NULL && text != NULL);
    bare->told[notice]++;
}

static int spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call, struct hf_err *err)
{
    const struct hf_bare *bare = ctx;
    const struct hf_proc_ops *ops = hf_simhost_proc(bare->host);

    if (bare->spawn_r < 0)
        return hf_err_sys(err, bare->spawn_r, "start '%s'", request->argv[0]);
    return ops->spawn(ops->ctx, request, ret_call, err);
}

static void cancel(void *ctx, struct hf_proc_call *call)
{
    const struct hf_bare *bare = ctx;
    const struct hf_proc_ops *ops = hf_simhost_proc(bare->host);

    ops->cancel(ops->ctx, call);
}

void hf_bare_allow(struct hf_bare *bare, const char *manifests)
{
    char text[400];
    int n = snprintf(text, sizeof(text),
                     "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                     "staticPodFolder: /etc/pods\nmanifests: {%s}\n",
                     manifests);

    hf_config_free(bare->config);
    insist(hf_config_parse((struct hf_view){text, (size_t)n}, "agent.yaml", &bare->config, NULL) == 0 &&
           hf_config_n_faults(bare->config) == 0);
    bare->engine.p.env.config = bare->config;
}

void hf_bare_equip(struct hf_bare *bare, const char *manifests)
{
    const struct hf_simhost_world world = {
        .arg = bare, .exec = run_program, .restart = restart, .reload = reload, .state = state_of};

    hf_bare_allow(bare, manifests);
    bare->answer.active = "active";
    bare->host = hf_simhost_new(bare->proc, &world);
    bare->proc_ops = (struct hf_proc_ops){.ctx = bare, .spawn = spawn, .cancel = cancel};
    bare->engine.p.env.proc = &bare->proc_ops;
    bare->engine.p.env.unit = hf_simhost_unit(bare->host);
    bare->engine.p.env.probe = hf_simhost_probe(bare->host);
    bare->engine.p.happened = note_notice;
    bare->engine.p.arg = bare;
}
