/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/env.h - struct hf_manifest_env, which all parts of pkg/manifests use. It has the tables of functions, the
 * node's configuration, and facts about the node. The engine (manifests/engine.h) owns the only copy; sources and
 * targets borrow it. Threads: loop thread only, except that a job on a worker may use `fs`, `log`, `clock`, `config`
 * and the strings. */
#pragma once

#include "api/link/link.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/rand.h"
#include "codec/json.h"
#include "config/config.h"
#include "loop/http/http.h"
#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/sched.h"
#include "loop/unit.h"

struct hf_access;    /* steps/access.h */
struct hf_kube;      /* kube/kube.h */
struct hf_metrics;   /* web/metrics.h */
struct hf_watch_ops; /* loop/watch.h */

struct hf_manifest_env {
    const struct hf_fs_ops *fs;
    const struct hf_clock_ops *clock;
    const struct hf_rand_ops *rng;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;      /* health checks over HTTP, without credentials */
    const struct hf_http_ops *bulk_http; /* downloads from any origin, without credentials; NULL means `http` */
    struct hf_access *access;            /* mirrors and credentials of downloads (steps/access.h); NULL: none */
    /* Returns whether the policy allows downloads now. If it does not, sets *ret_wait_ns to the time in ns after which
     * to call again. NULL means that downloads are always allowed. When downloads become forbidden, `bulk_http` ends a
     * running download with -ECANCELED. */
    enum hf_link (*link)(void *arg, uint64_t *ret_wait_ns);
    void *link_arg;
    const struct hf_proc_ops *proc;
    /* absolute path of holdfast-tpm, which seals copies of secrets; NULL to seal none */
    const char *tpm_program;
    const struct hf_probe_ops *probe;
    const struct hf_unit_ops *unit;
    /* reports changes in folders (inotify). If it is NULL, the engine looks for drift once per interval of the policy.
     * If a folder of an entry cannot be watched (`add` fails, or all entries together would need more than
     * MANIFEST_MAX_WATCHES of manifests/entry.h), the engine looks for drift in this entry every 30 s. */
    const struct hf_watch_ops *watch;
    /* client of the API server; NULL if the agent reads a folder. Sources and targets that need the API server then
     * fail with the reason Unsupported. */
    struct hf_kube *kube;
    /* client for https://127.0.0.1:10250 with the CA of the cluster and the agent's credentials; NULL to ask the
     * kubelet only on its read-only port (manifests/kubelet/health.h) */
    const struct hf_http_ops *kubelet;
    /* true if, after each change, the engine checks that the static pods are ready, and rolls the entry back if they
     * are not; if their state cannot be found out, the entry becomes Applied with the reason HealthUnknown */
    bool static_pod_health;
    struct hf_log *log;         /* may be NULL */
    struct hf_metrics *metrics; /* may be NULL */
    /* bounds that the owner of the node sets; NULL means the defaults. The pointer may change between calls of the
     * engine, but a job may use the old bounds until it ends */
    const struct hf_config *config;
    const char *state_dir; /* state folder; its subfolder `manifests` belongs to the engine */
    const char *trust_dir;
    const char *node_name;
    const char *arch; /* processor architecture of this node, such as "amd64" */
    /* labels of this node, a JSON object of strings; NULL means none; the pointer may change between calls of the
     * engine */
    const json_t *labels;
    /* for downloads; both may change between calls of the engine */
    bool no_space;                        /* the disk of the state folder is critically full */
    bool writes_used_up;                  /* the policy's budget of writes is used up */
    bool pod_mode;                        /* the agent runs in a pod, so it cannot run programs of the host */
    const char *host_root;                /* in pod mode, mount point of the host's file system; NULL and "" mean "/" */
    uid_t uid;                            /* user of this process */
    uint64_t retry_base_ns, retry_cap_ns; /* first and longest pause after a failure, in ns */
};
