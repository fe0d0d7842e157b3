/* SPDX-License-Identifier: Apache-2.0 */
/* support/simnode.h - a node: a disk, a board with one service, and the lives of an agent on it, one after another.
 *
 *     struct hf_simnode *node = hf_simnode_new(&(struct hf_simnode_params){.loop = loop, .net = net, .name = "node-1",
 *                                                                         .server = "https://api", .site = site});
 *     hf_simnode_begin(node, &err);                       an agent starts
 *     hf_simnode_end(node, true);                         the power is cut; the service starts again with what is on the disk
 *
 * A power cut begins a new boot, with a boot id and a monotonic clock of its own; kill -9 does not.
 *
 * The disk, the board and the state of the links outlive every life. Release 1 of the site is installed from the start, and the
 * site's key is trusted. Aborts on OOM. */
#pragma once

#include "agent/agent.h"
#include "kube/folder/folder.h"
#include "kube/kube.h"
#include "kube/split.h"
#include "support/fakes/simboard.h"
#include "support/fakes/simsite.h"

#define HF_SIMNODE_STATE "/var/lib/holdfast"
#define HF_SIMNODE_TARGET "/opt/edge/app"
#define HF_SIMNODE_UNIT "edge.service"
#define HF_SIMNODE_FOLDER "/etc/holdfast/objects"

struct hf_simnode_params {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simsite *site;
    const char *name;
    const char *server; /* borrowed; NULL: the folder HF_SIMNODE_FOLDER on its disk */
    enum hf_kube_api api;
    const char *run_path;           /* the agent's; NULL none */
    const char *status_server;      /* what the agent writes goes there, directly; NULL: to `server` */
    uint64_t pauses_ns, late_ns;    /* as hf_simproc_set_pauses() and hf_simproc_set_lateness() */
    bool log;                       /* what the agent says goes to stderr */
    bool once;                      /* --once */
    const struct hf_config *config; /* bounds that the node sets; borrowed; NULL: the defaults */
};

struct hf_simnode {
    struct hf_simnode_params params;
    struct hf_simfs *fs;
    struct hf_simboard *board;
    enum hf_simlink_state api_state, file_state, status_state;
    struct hf_simlink quality;
    int64_t clock_offset_ns;
    uint64_t sync_error_ns;
    unsigned lives, boots;
    uint64_t boot_ns; /* time of the loop at which the boot that runs now began */
    /* one life; NULL between two */
    bool alive;
    struct hf_log *log;
    struct hf_simproc *proc;
    struct hf_simclient *api_client, *file_client, *status_client;
    struct hf_kube_config config, status_config;
    struct hf_home home;
    bool home_open;
    struct hf_kube *kube, *status_kube;
    struct hf_split *split;
    struct hf_folder *folder;
    struct hf_agent *agent;
    struct hf_metrics *metrics;
    bool settled, stopped;
};

struct hf_simnode *hf_simnode_new(const struct hf_simnode_params *params);
void hf_simnode_free(struct hf_simnode *node); /* ends the life; before the net */

/* 0, or why the agent could not start (its life is over then). */
HF_MUST_USE int hf_simnode_begin(struct hf_simnode *node, struct hf_err *err);
void hf_simnode_end(struct hf_simnode *node, bool power_cut); /* else kill -9 */
/* As systemd stops it: hf_agent_stop(), time for it, then the end. False when it did not finish in 5 s. */
bool hf_simnode_stop(struct hf_simnode *node);

void hf_simnode_set_links(struct hf_simnode *node, enum hf_simlink_state api, enum hf_simlink_state files);
void hf_simnode_set_status_link(struct hf_simnode *node, enum hf_simlink_state state);
void hf_simnode_set_quality(struct hf_simnode *node, const struct hf_simlink *quality);
void hf_simnode_set_sync_error(struct hf_simnode *node, uint64_t error_ns); /* as hf_simproc_set_sync_error() */
void hf_simnode_set_clock(struct hf_simnode *node, int64_t offset_ns);      /* of the wall clock to the truth */

/* Number of the release that lies at the path (0: none of them), and of the one that runs. */
size_t hf_simnode_installed(const struct hf_simnode *node);
size_t hf_simnode_running(const struct hf_simnode *node);
