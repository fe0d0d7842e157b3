/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/options.h - the agent's flags and environment variables. Parsing and help use the same table. Pure,
 * except that --ingest-socket-group looks up a group of this machine.
 *
 * Accepts `--name value` and `--name=value`. A flag takes precedence over the environment variable for the same option.
 * An empty variable counts as not set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/flags/listen.h"
#include "base/log.h"
#include "kube/kube.h"

enum { HF_OPTIONS_MAX_ROOTS = 7, HF_OPTIONS_MAX_HOSTS = 7 };

enum hf_options_action {
    HF_OPTIONS_RUN,
    HF_OPTIONS_HELP,
    HF_OPTIONS_VERSION,
    HF_OPTIONS_CHECK_CONFIG,
    HF_OPTIONS_CHECK_READY,
    HF_OPTIONS_FIRST_INSTALL,
};

enum hf_agent_listener { HF_LISTEN_METRICS, HF_LISTEN_INGEST, HF_LISTEN_HEALTH, HF_LISTEN_COUNT };

/* Returns the name by which the flags call a listener, such as "metrics" in --metrics-port. */
const char *hf_agent_listener_name(enum hf_agent_listener listener);

/* The agent's options. The strings are in argv or in the environment, or are static, or belong to the options: a path
 * that was given relative to the working folder is absolute here. */
struct hf_agent_options {
    const char *server, *kubeconfig, *source; /* values of --server, --kubeconfig and --source; NULL if not given */
    /* kubeconfig of the server for writes; NULL if the agent writes to the server that it reads from */
    const char *status_kubeconfig;
    const char *node_name; /* name of the Node; NULL means the host's name */
    const char *state_dir, *trust_dir;
    /* folder for the file that `holdfast status` reads while the agent runs, and for the default ingest socket; NULL if
     * there is none */
    const char *run_dir;
    /* true if the user has chosen run_dir; if false, the agent uses run_dir only if it is on a file system in memory */
    bool run_dir_given;
    const char *config; /* file of the node's configuration */
    bool config_given;  /* true if a flag or variable names the configuration's file, so that the file must exist */
    const char *first_install; /* folder of --first-install; NULL if not given */
    /* update roots; NULL ends the array; if the array is empty, the agent uses the roots of the node's configuration */
    const char *roots[HF_OPTIONS_MAX_ROOTS + 1];
    size_t n_roots;
    const char *host_root;
    struct hf_listen_flag listen[HF_LISTEN_COUNT];
    /* true if the agent also starts when a listener cannot open, for example because its port is in use */
    bool listen_optional;
    /* path of the Unix socket of POST /ingest; NULL for the default path, ingest.sock in the run folder */
    const char *ingest_socket;
    bool ingest_socket_off;
    mode_t ingest_socket_mode; /* mode of the socket; by default 0660 if a flag gives a group, otherwise 0666 */
    gid_t ingest_socket_gid;   /* group of the socket; (gid_t)-1 if no flag gives one */
    const char *allowed_hosts[HF_OPTIONS_MAX_HOSTS + 1]; /* hosts that --allow-host names; NULL ends the list */
    size_t n_allowed_hosts;
    const char *client_certificate_dir;      /* folder of the client certificate; NULL if the agent gets none */
    uint64_t client_certificate_lifetime_ns; /* lifetime to ask for (0 means the default) */
    uint64_t retry_base_ns;                  /* base of the growing delays between attempts (base/backoff.h) */
    const char *storage_dir;                 /* folder for the telemetry spools */
    /* URL of the telemetry sink that is used while no policy configures telemetry; NULL if there is none */
    const char *cloud_endpoint;
    const char *device_key_ref; /* location of the device key, "file:/path" or "env:NAME"; NULL if there is none */
    uint64_t max_retries;       /* number of attempts after which the agent defers a telemetry batch */
    enum hf_options_action action;
    enum hf_kube_api api;
    enum hf_log_level log_level;
    bool pod_mode;
    bool labels_by_controller; /* true if the controller writes the Node's labels */
    bool once;
    char **owned; /* strings that belong to the options */
    size_t n_owned;
};

/* Parses the command line and the environment. -EINVAL: an argument or a variable is wrong, or two of them exclude each
 * other; *err names them and, for a wrong value, the expected form. */
HF_MUST_USE int hf_agent_options_parse(int argc, char *const *argv, const char *(*getenv_fn)(const char *name),
                                       struct hf_agent_options *ret_options, struct hf_err *err);

/* Frees the strings that belong to the options. Only after hf_agent_options_parse() succeeded. */
void hf_agent_options_done(struct hf_agent_options *options);

/* Appends the text that --help prints to *out. */
HF_MUST_USE int hf_agent_options_help(struct hf_buf *out);

/* Makes the name of a Node from a host's name by changing it to lower case, as the kubelet does. -EINVAL: the result
 * does not fit into name[n], or is not a valid name by RFC 1123. */
HF_MUST_USE int hf_agent_node_name(const char *host_name, char *name, size_t n, struct hf_err *err);
