/* SPDX-License-Identifier: Apache-2.0 */
/* What all of pkg/manifests uses; the engine owns the only copy. A job may use only config, uid, the strings, and fs,
 * log and clock of the world. */
#pragma once

#include "api/link/link.h"
#include "codec/json.h"
#include "config/config.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "loop/world.h"

struct hf_access;
struct hf_kube;
struct hf_watch_ops;

struct hf_manifest_env {
    struct hf_world world;
    const struct hf_http_ops *http;      /* health checks, without credentials */
    const struct hf_http_ops *bulk_http; /* downloads from any origin, without credentials; NULL: `http` */
    struct hf_access *access;            /* mirrors and credentials of downloads; NULL: none */
    /* Whether downloads may run now and, if not, when to ask again. NULL: always. If downloads become forbidden,
     * `bulk_http` ends a running download with -ECANCELED. */
    enum hf_link (*link)(void *arg, uint64_t *ret_wait_ns);
    void *link_arg;
    const struct hf_proc_ops *proc;
    /* path of holdfast-tpm; NULL: no sealed copies of secrets */
    const char *tpm_program;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    /* Watches folders (inotify). NULL: drift is looked for once per interval; if a folder cannot be watched (`add`
     * fails, or MANIFEST_MAX_WATCHES of engine_impl.h), every 30 s. */
    const struct hf_watch_ops *watch;
    /* NULL: objects come from a folder, and what needs the API server is Unsupported */
    struct hf_kube *kube;
    /* https://127.0.0.1:10250 with the cluster's CA and the agent's credentials; NULL: only the read-only port
     * (kubelet/health.h) */
    const struct hf_http_ops *kubelet;
    /* after a change, static pods must become ready, or the entry rolls back; if nobody answers: HealthUnknown */
    bool static_pod_health;
    /* bounds of the node's owner; NULL: defaults. May change between calls; a job may use the old ones until it ends */
    const struct hf_config *config;
    const char *state_dir; /* the folder `manifests` in it is the engine's */
    const char *trust_dir;
    const char *node_name;
    const char *arch;
    /* names to strings; may change between calls of the engine */
    const json_t *labels;
    /* why downloads must wait; may change between calls */
    bool no_space;
    bool writes_used_up;
    bool pod_mode;         /* the agent is in a pod: no programs of the host */
    const char *host_root; /* pod mode: mount point of the host's root; NULL, "": "/" */
    uid_t uid;
    uint64_t retry_base_ns, retry_cap_ns;
};
