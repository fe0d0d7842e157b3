/* SPDX-License-Identifier: Apache-2.0 */
/* Parses flags and environment variables. A flag (`--name value` or `--name=value`) wins over its variable; an empty
 * variable counts as not set. Pure, except for the working folder and --ingest-socket-group. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/flags/listen.h"
#include "base/log.h"
#include "host/plan.h"
#include "kube/kube.h"

enum { HF_OPTIONS_MAX_ROOTS = 7, HF_OPTIONS_MAX_HOSTS = 7 };

enum hf_options_action {
    HF_OPTIONS_RUN,
    HF_OPTIONS_HELP,
    HF_OPTIONS_VERSION,
    HF_OPTIONS_CHECK_CONFIG,
    HF_OPTIONS_CHECK_READY,
    HF_OPTIONS_FIRST_INSTALL,
    HF_OPTIONS_INSTALL_HOST,
};

enum hf_agent_listener { HF_LISTEN_METRICS, HF_LISTEN_INGEST, HF_LISTEN_HEALTH, HF_LISTEN_COUNT };

const char *hf_agent_listener_name(enum hf_agent_listener listener);

struct hf_agent_host_flags {
    const char *root; /* NULL: "/" */
    enum hf_hostlife life;
    const char *paths; /* separated by colons; NULL: those of the unit's template */
};

struct hf_agent_identity {
    const char *dir;
    const char *kubelet;
    uint64_t lifetime_ns;
    bool key_in_tpm;
};

/* Strings are static, from argv or environment, or owned. Paths are absolute, except for `source` and kubeconfigs.
 * NULL: not given. */
struct hf_agent_options {
    const char *server, *kubeconfig, *source;
    const char *export_dir;
    const char *status_kubeconfig; /* where statuses go; or NULL */
    const char *node_name;
    const char *state_dir, *trust_dir;
    const char *run_dir;
    bool run_dir_given; /* if not given, the default counts only if it is in memory */
    const char *config;
    bool config_given; /* if given, the file must exist */
    const char *first_install;
    const char *roots[HF_OPTIONS_MAX_ROOTS + 1]; /* empty: those of the configuration */
    size_t n_roots;
    struct hf_agent_host_flags host;
    struct hf_listen_flag listen[HF_LISTEN_COUNT];
    bool listen_optional;
    const char *ingest_socket; /* NULL: in run_dir */
    bool ingest_socket_off;
    struct {
        mode_t mode;
        gid_t gid;
    } ingest_socket_access;
    const char *allowed_hosts[HF_OPTIONS_MAX_HOSTS + 1];
    size_t n_allowed_hosts;
    struct hf_agent_identity identity;
    uint64_t retry_base_ns;
    uint64_t probation_ns; /* time until the agent reports healthy to a supervisor */
    const char *storage_dir;
    const char *cloud_endpoint; /* used while no policy has telemetry */
    const char *device_key_ref; /* "file:/path" or "env:NAME" */
    uint64_t max_retries;       /* attempts after which a telemetry batch is deferred */
    enum hf_options_action action;
    enum hf_kube_api api;
    enum hf_log_level log_level;
    bool pod_mode;
    bool labels_by_controller;
    bool once;
    char **owned;
    size_t n_owned;
};

/* -EINVAL: a flag is wrong, or excludes another; *err explains. */
HF_MUST_USE int hf_agent_options_parse(int argc, char *const *argv, const char *(*getenv_fn)(const char *name),
                                       struct hf_agent_options *ret_options, struct hf_err *err);

/* Call it only after hf_agent_options_parse() succeeded. */
void hf_agent_options_done(struct hf_agent_options *options);

HF_MUST_USE int hf_agent_options_help(struct hf_buf *out);

/* Finds the environment variable of the i-th flag (NULL: none). False: no such flag. */
bool hf_agent_options_variable(size_t i, const char **ret_name);

/* Writes `host_name` in lower case, as the kubelet does. -EINVAL: it does not fit, or has a wrong character. */
HF_MUST_USE int hf_agent_node_name(const char *host_name, char *name, size_t n, struct hf_err *err);
