/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simnode.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const roots[] = {"/opt", NULL};

static void boot(struct hf_simnode *node)
{
    char id[48];
    int n = snprintf(id, sizeof(id), "8c4a1d2e-0000-4000-8000-%012x\n", ++node->boots);

    node->boot_ns = hf_simloop_now_ns(node->params.loop);
    hf_simfs_put(node->fs, "/proc/sys/kernel/random/boot_id", id, (size_t)n, 0444);
    hf_simboard_boot(node->board);
}

struct hf_simnode *hf_simnode_new(const struct hf_simnode_params *params)
{
    struct hf_simnode *node = calloc(1, sizeof(*node));
    struct hf_view first = hf_simsite_content(params->site, 1);
    const char *pem = hf_simsite_public_pem(params->site);

    if (node == NULL)
        abort();
    node->params = *params;
    node->quality = (struct hf_simlink){.delay_min_ns = HF_NS_PER_MS, .delay_max_ns = 5 * HF_NS_PER_MS};
    node->fs = hf_simfs_new();
    hf_simfs_put(node->fs, HF_SIMNODE_TARGET, first.p, first.n, 0755);
    hf_simfs_put(node->fs, "/etc/holdfast/trust.d/k1.pem", pem, strlen(pem), 0644);
    if (params->server == NULL)
        hf_simfs_mkdir(node->fs, HF_SIMNODE_FOLDER, 0755);
    node->board = hf_simboard_new(params->loop, node->fs);
    hf_simboard_service(node->board, HF_SIMNODE_UNIT, 8080, HF_SIMNODE_TARGET);
    boot(node);
    return node;
}

/* ---- one life ---------------------------------------------------------------------------------------------------- */

static void tear_down(struct hf_simnode *node)
{
    if (node->proc != NULL)
        hf_simproc_kill(node->proc);
    hf_agent_free(node->agent);
    hf_split_free(node->split);
    hf_kube_free(node->kube);
    hf_kube_free(node->status_kube);
    hf_folder_free(node->folder);
    hf_simclient_free(node->api_client);
    hf_simclient_free(node->file_client);
    hf_simclient_free(node->status_client);
    if (node->home_open)
        hf_home_close(&node->home);
    hf_metrics_free(node->metrics);
    hf_log_free(node->log);
    hf_simfs_before_each(node->fs, NULL, NULL);
    hf_simproc_free(node->proc);
    hf_kube_config_done(&node->config);
    hf_kube_config_done(&node->status_config);
    node->agent = NULL;
    node->kube = node->status_kube = NULL;
    node->split = NULL;
    node->folder = NULL;
    node->api_client = node->file_client = node->status_client = NULL;
    node->home_open = node->alive = false;
    node->metrics = NULL;
    node->log = NULL;
    node->proc = NULL;
    assert(hf_simboard_calls(node->board) == 0);
}

static struct hf_world world_of(struct hf_simnode *node)
{
    struct hf_world world = hf_simproc_world(node->proc, hf_simfs_ops(node->fs));

    world.clock = hf_home_clock(&node->home);
    world.log = node->log;
    world.metrics = node->metrics;
    return world;
}

static int open_kube(struct hf_simnode *node, struct hf_err *err)
{
    struct hf_kube_params kube = {.config = &node->config,
                                  .api = node->params.api,
                                  .field_manager = HF_FIELD_MANAGER,
                                  .world = world_of(node),
                                  .http = hf_simclient_ops(node->api_client)};

    node->config.server = strdup(node->params.server);
    node->kube = hf_kube_new(&kube, err);
    return node->kube == NULL ? -err->code : 0;
}

static int open_status(struct hf_simnode *node, struct hf_err *err)
{
    struct hf_kube_params kube = {.config = &node->status_config,
                                  .api = HF_KUBE_APISERVER,
                                  .field_manager = HF_FIELD_MANAGER,
                                  .world = world_of(node),
                                  .http = hf_simclient_ops(node->status_client)};

    node->status_config.server = strdup(node->params.status_server);
    kube.world.metrics = NULL; /* the counters count the source's requests */
    node->status_kube = hf_kube_new(&kube, err);
    if (node->status_kube != NULL)
        node->split = hf_split_new(hf_kube_source(node->kube), hf_kube_source(node->status_kube));
    return node->split != NULL ? 0 : -ENOMEM;
}

static int open_folder(struct hf_simnode *node, struct hf_err *err)
{
    struct hf_folder_params folder = {
        .dir = HF_SIMNODE_FOLDER, .status_dir = HF_SIMNODE_STATE "/status", .world = world_of(node)};

    node->folder = hf_folder_new(&folder, err);
    return node->folder == NULL ? -err->code : 0;
}

static void on_settled(void *arg)
{
    struct hf_simnode *node = arg;

    node->settled = true;
}

static void on_stopped(void *arg)
{
    struct hf_simnode *node = arg;

    node->stopped = true;
}

static void on_policy(void *arg, const struct hf_syncpolicy *policy, const json_t *labels)
{
    struct hf_simnode *node = arg;

    (void)labels;
    if (node->kube != NULL)
        hf_kube_set_retry_cap(node->kube, policy->retry_interval_ns);
}

static int open_agent(struct hf_simnode *node, struct hf_err *err)
{
    struct hf_agent_params params = {
        .home = &node->home,
        .world = world_of(node),
        .source = node->split != NULL  ? hf_split_source(node->split)
                  : node->kube != NULL ? hf_kube_source(node->kube)
                                       : hf_folder_source(node->folder),
        .source_echoes = node->kube != NULL,
        .events = node->status_kube != NULL ? node->status_kube : node->kube,
        .status_apart = node->split != NULL,
        .source_kube = node->kube,
        .config = node->params.config,
        .http = hf_simboard_http(node->board, hf_simclient_ops(node->file_client)),
        .proc = hf_simboard_proc(node->board),
        .probe = hf_simboard_probe(node->board),
        .unit = hf_simboard_unit(node->board),
        .node_name = node->params.name,
        .version = "0.0.0",
        .run_path = node->params.run_path,
        .trust_dir = "/etc/holdfast/trust.d",
        .roots = roots,
        .arch = "amd64",
        .facts_root = "",
        .retry_base_ns = HF_NS_PER_S,
        .once = node->params.once,
        .owner = {.policy_changed = on_policy, .settled = on_settled, .stopped = on_stopped, .arg = node}};

    return hf_agent_new(&params, &node->agent, err);
}

static void apply_links(struct hf_simnode *node)
{
    if (!node->alive)
        return;
    hf_simclient_set_link(node->api_client, &node->quality);
    hf_simclient_set_link(node->file_client, &node->quality);
    hf_simclient_set_state(node->api_client, node->api_state);
    hf_simclient_set_link(node->status_client, &node->quality);
    hf_simclient_set_state(node->status_client, node->status_state);
    hf_simclient_set_state(node->file_client, node->file_state);
}

int hf_simnode_begin(struct hf_simnode *node, struct hf_err *err)
{
    assert(!node->alive);
    node->lives++;
    node->settled = node->stopped = false;
    node->proc = hf_simproc_new(node->params.loop, node->params.name);
    hf_simproc_set_boot(node->proc, node->boot_ns);
    hf_simproc_set_unix_offset(node->proc, node->clock_offset_ns);
    hf_simproc_set_sync_error(node->proc, node->sync_error_ns);
    hf_simproc_set_pauses(node->proc, node->params.pauses_ns);
    hf_simproc_set_lateness(node->proc, node->params.late_ns);
    if (node->params.pauses_ns != 0)
        hf_simfs_before_each(node->fs, hf_simproc_pause, node->proc);
    if (node->params.log)
        node->log = hf_log_new(2, HF_LOG_DEBUG, hf_simproc_clock(node->proc));
    node->metrics = hf_metrics_new();
    node->api_client = hf_simnet_client(node->params.net, node->proc);
    node->file_client = hf_simnet_client(node->params.net, node->proc);
    node->status_client = hf_simnet_client(node->params.net, node->proc);
    node->alive = true;
    apply_links(node);
    int r = hf_home_open(&node->home, hf_simfs_ops(node->fs), HF_SIMNODE_STATE, (int)node->lives,
                         hf_simproc_clock(node->proc), node->log, err);
    node->home_open = r == 0;
    if (r == 0) {
        hf_simclient_set_clock(node->api_client, hf_home_clock(&node->home));
        hf_simclient_set_clock(node->file_client, hf_home_clock(&node->home));
    }
    if (r == 0)
        r = node->params.server != NULL ? open_kube(node, err) : open_folder(node, err);
    if (r == 0 && node->params.status_server != NULL)
        r = open_status(node, err);
    if (r == 0)
        r = open_agent(node, err);
    if (r < 0) {
        tear_down(node);
        hf_simfs_kill(node->fs);
    }
    return r;
}

void hf_simnode_end(struct hf_simnode *node, bool power_cut)
{
    assert(node->alive);
    tear_down(node);
    if (power_cut) {
        hf_simfs_power_cut(node->fs, hf_simloop_below(node->params.loop, UINT64_MAX));
        boot(node);
    } else {
        hf_simfs_kill(node->fs);
    }
}

static bool is_stopped(void *arg)
{
    const struct hf_simnode *node = arg;

    return node->stopped;
}

bool hf_simnode_stop(struct hf_simnode *node)
{
    hf_agent_stop(node->agent, HF_AGENT_STOP_REQUESTED);
    bool met = hf_simloop_run_until(node->params.loop, is_stopped, node, 5 * HF_NS_PER_S);
    tear_down(node);
    hf_simfs_kill(node->fs);
    return met;
}

void hf_simnode_free(struct hf_simnode *node)
{
    if (node == NULL)
        return;
    if (node->alive)
        tear_down(node);
    assert(hf_simfs_open_fds(node->fs) == 0);
    hf_simboard_free(node->board);
    hf_simfs_free(node->fs);
    free(node);
}

/* ---- the world around it ----------------------------------------------------------------------------------------- */

void hf_simnode_set_links(struct hf_simnode *node, enum hf_simlink_state api, enum hf_simlink_state files)
{
    node->api_state = api;
    node->file_state = files;
    apply_links(node);
}

void hf_simnode_set_status_link(struct hf_simnode *node, enum hf_simlink_state state)
{
    node->status_state = state;
    apply_links(node);
}

void hf_simnode_set_quality(struct hf_simnode *node, const struct hf_simlink *quality)
{
    node->quality = *quality;
    apply_links(node);
}

void hf_simnode_set_clock(struct hf_simnode *node, int64_t offset_ns)
{
    node->clock_offset_ns = offset_ns;
    if (node->alive)
        hf_simproc_set_unix_offset(node->proc, offset_ns);
}

void hf_simnode_set_sync_error(struct hf_simnode *node, uint64_t error_ns)
{
    node->sync_error_ns = error_ns;
    if (node->alive)
        hf_simproc_set_sync_error(node->proc, error_ns);
}

size_t hf_simnode_installed(const struct hf_simnode *node)
{
    size_t n = 0;
    const void *bytes = hf_simfs_get(node->fs, HF_SIMNODE_TARGET, &n);

    return bytes == NULL ? 0 : hf_simsite_which(node->params.site, bytes, n);
}

size_t hf_simnode_running(const struct hf_simnode *node)
{
    size_t release = 0;
    const char *line = hf_simboard_running(node->board, HF_SIMNODE_UNIT);

    return sscanf(line, "release %*s 1.%zu.0", &release) == 1 ? release : 0;
}
