/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/downloads.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/images/image_mirror.h"
#include "agent/process/neighbours.h"
#include "node/facts.h"
#include "os/fs_posix.h"
#include "steps/access.h"

#define NEIGHBOURS_NS (60 * HF_NS_PER_S) /* a renewed certificate, a new interface, a port that was taken */

struct hf_downloads {
    struct hf_downloads_params p;
    const struct hf_config *config;
    struct hf_http_client *client;
    struct hf_access *access;
    struct hf_image_mirror *images;
    struct hf_sharing *share;
    int share_said;
    char platform[48];
    struct hf_timer *timer; /* armed while owner and policy allow sharing */
};

static struct hf_http_config client_config(const struct hf_downloads *downloads)
{
    return (struct hf_http_config){.user_agent = "holdfast-agent/" HF_VERSION,
                                   .clock = downloads->p.clock,
                                   .max_skew_ns = downloads->p.max_skew_ns};
}

static int set_peers(void *arg, const struct hf_http_peer *peers, size_t n, struct hf_err *err)
{
    struct hf_downloads *downloads = arg;
    struct hf_http_config config = client_config(downloads);

    config.peers = peers;
    config.n_peers = n;
    return hf_http_client_update(downloads->client, &config, err);
}

static void settle(void *arg)
{
    struct hf_downloads *downloads = arg;
    const struct hf_sched_ops *sched = hf_loop_sched(downloads->p.loop);
    const char *dir = downloads->p.options->identity.dir;
    char client_pem[PATH_MAX];

    if (!hf_config_share(downloads->config).neighbours || !hf_share_is_allowed(downloads->share)) {
        hf_share_settle(downloads->share, NULL);
        hf_timer_disarm(sched, downloads->timer);
        return;
    }
    if (dir != NULL)
        (void)snprintf(client_pem, sizeof(client_pem), "%s/client.pem", dir);
    hf_neighbours_settle(downloads->share, hf_fs_posix(), "", downloads->config, dir != NULL ? client_pem : NULL,
                         downloads->p.log, &downloads->share_said);
    hf_timer_arm(sched, downloads->timer, NEIGHBOURS_NS);
}

void hf_downloads_configure(struct hf_downloads *downloads, const struct hf_config *config)
{
    downloads->config = config;
    hf_access_configure(downloads->access, config);
    hf_image_mirror_configure(downloads->images, config);
    settle(downloads);
}

void hf_downloads_fill(struct hf_downloads *downloads, struct hf_agent_params *params)
{
    params->http = hf_http_client_ops(downloads->client);
    params->downloads = (struct hf_agent_downloads){
        .access = downloads->access, .share = downloads->share, .images = downloads->images};
}

void hf_downloads_follow(struct hf_downloads *downloads, const struct hf_syncpolicy *policy)
{
    hf_image_mirror_follow(downloads->images, policy);
}

static struct hf_image_mirror *new_images(struct hf_downloads *downloads)
{
    const struct hf_agent_options *options = downloads->p.options;

    (void)snprintf(downloads->platform, sizeof(downloads->platform), "linux/%s", hf_facts_build_arch());
    return hf_image_mirror_new(
        &(const struct hf_image_mirror_params){.loop = downloads->p.loop,
                                               .log = downloads->p.log,
                                               .metrics = downloads->p.metrics,
                                               .upstream = {.sched = hf_loop_sched(downloads->p.loop),
                                                            .fs = hf_fs_posix(),
                                                            .http = hf_http_client_ops(downloads->client),
                                                            .clock = downloads->p.clock,
                                                            .access = downloads->access},
                                               .state_dir = options->state_dir,
                                               .platform = downloads->platform,
                                               .host_root = options->host.root != NULL ? options->host.root : ""});
}

int hf_downloads_new(const struct hf_downloads_params *params, const struct hf_config *config,
                     struct hf_downloads **ret_downloads, struct hf_err *err)
{
    struct hf_downloads *downloads = calloc(1, sizeof(*downloads));

    if (downloads == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    downloads->p = *params;
    const struct hf_http_config client = client_config(downloads);
    downloads->client = hf_http_client_new(params->loop, &client, err);
    downloads->timer = hf_timer_new(hf_loop_sched(params->loop), settle, downloads);
    downloads->access = hf_access_new(&(struct hf_access_params){.clock = params->clock,
                                                                 .log = params->log,
                                                                 .identity = params->identity,
                                                                 .set_peers = set_peers,
                                                                 .arg = downloads});
    downloads->share = hf_share_new(&(struct hf_share_params){.loop = params->loop,
                                                              .clock = params->clock,
                                                              .log = params->log,
                                                              .metrics = params->metrics,
                                                              .node_name = params->node_name,
                                                              .max_skew_ns = params->max_skew_ns,
                                                              .allowed = settle,
                                                              .arg = downloads});
    downloads->images = downloads->client != NULL ? new_images(downloads) : NULL;
    if (downloads->images == NULL || downloads->timer == NULL || downloads->access == NULL ||
        downloads->share == NULL) {
        int r = downloads->client == NULL ? -err->code : hf_err_set(err, ENOMEM, "out of memory");
        hf_downloads_free(downloads);
        return r;
    }
    hf_downloads_configure(downloads, config);
    *ret_downloads = downloads;
    return 0;
}

void hf_downloads_free(struct hf_downloads *downloads)
{
    const struct hf_sched_ops *sched;

    if (downloads == NULL)
        return;
    sched = hf_loop_sched(downloads->p.loop);
    hf_image_mirror_free(downloads->images);
    hf_share_free(downloads->share);
    hf_http_client_free(downloads->client);
    hf_access_free(downloads->access);
    hf_timer_free(sched, downloads->timer);
    free(downloads);
}
