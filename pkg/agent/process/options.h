/* agent/process/options.h - the agent's flags and environment variables. Parsing and help use the same table. Pure.
 *
 * Accepts `--name value` and `--name=value`. A flag wins over its variable; an empty variable counts as not set. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "kube/kube.h"

enum { HF_OPTIONS_MAX_ROOTS = 7, HF_OPTIONS_MAX_HOSTS = 7 };

enum hf_options_action { HF_OPTIONS_RUN, HF_OPTIONS_HELP, HF_OPTIONS_VERSION };

enum hf_agent_listener { HF_LISTEN_METRICS, HF_LISTEN_INGEST, HF_LISTEN_HEALTH, HF_LISTEN_COUNT };

/* Returns the name of the listener in its flags, such as "metrics" for --metrics-port. */
const char *hf_agent_listener_name(enum hf_agent_listener listener);

/* Address and port of one of the local servers. */
struct hf_agent_listen {
    const char *address; /* numeric */
    uint16_t port;       /* 0: any free port */
    bool off;            /* --<name>-port off */
    bool chosen;         /* true if a flag or variable sets the port */
};

/* Strings borrow from argv and the environment, or are static. */
struct hf_agent_options {
    const char *server, *kubeconfig, *source; /* NULL: not given */
    const char *status_kubeconfig;            /* server for writes; NULL: the server for reads */
    const char *node_name;                    /* NULL: the host's name */
    const char *state_dir, *trust_dir;
    /* folder of the file that `holdfast status` reads while the agent runs; NULL: none */
    const char *run_dir;
    bool run_dir_given;                          /* if false, the agent uses run_dir only in memory */
    const char *roots[HF_OPTIONS_MAX_ROOTS + 1]; /* NULL ends */
    size_t n_roots;
    const char *host_root;
    struct hf_agent_listen listen[HF_LISTEN_COUNT];
    bool listen_optional; /* a port in use does not make the start fail */
    /* Unix socket of POST /ingest; NULL: none, or the default, which the process derives from the run folder */
    const char *ingest_socket;
    bool ingest_socket_off;
    mode_t ingest_socket_mode;                           /* 0: 0666, or 0660 if a group is given */
    gid_t ingest_socket_gid;                             /* (gid_t)-1: not given */
    const char *allowed_hosts[HF_OPTIONS_MAX_HOSTS + 1]; /* --allow-host; NULL ends */
    size_t n_allowed_hosts;
    uint64_t retry_base_ns;
    const char *storage_dir;    /* spool of telemetry */
    const char *cloud_endpoint; /* sink of telemetry while no policy names one; NULL: none */
    const char *device_key_ref; /* "file:/path" or "env:NAME"; NULL: none */
    uint64_t max_retries;       /* attempts before the sink defers a telemetry batch */
    enum hf_options_action action;
    enum hf_kube_api api;
    enum hf_log_level log_level;
    bool pod_mode;
    bool once;
};

/* Parses the command line and the environment. -EINVAL: *err names the argument and the expected form. */
HF_MUST_USE int hf_agent_options_parse(int argc, char *const *argv, const char *(*getenv_fn)(const char *name),
                                       struct hf_agent_options *ret_options, struct hf_err *err);

/* Appends the text of --help. */
HF_MUST_USE int hf_agent_options_help(struct hf_buf *out);

/* Makes the name of a Node from a host's name: lower case, as kubelet does. -EINVAL: the result is not a name by RFC
 * 1123. */
HF_MUST_USE int hf_agent_node_name(const char *host_name, char *name, size_t n, struct hf_err *err);
