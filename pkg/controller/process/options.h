/* SPDX-License-Identifier: Apache-2.0 */
/* controller/process/options.h - the controller's flags and environment variables. Parsing and help use the same
 * table (base/flags/flags.h). Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/flags/listen.h"
#include "base/log.h"

enum hf_controller_action { HF_CONTROLLER_RUN, HF_CONTROLLER_HELP, HF_CONTROLLER_VERSION };

enum hf_controller_listener { HF_CONTROLLER_METRICS, HF_CONTROLLER_HEALTH, HF_CONTROLLER_LISTENERS };

/* The controller's options. The strings point into argv or the environment, or are static. */
struct hf_controller_options {
    const char *server, *kubeconfig;          /* NULL if not given */
    const char *lease_namespace, *lease_name; /* Lease by which the replicas agree who leads */
    const char *identity;                     /* name of this replica; NULL means the host's name */
    /* "NAMESPACE/NAME" of the agents' service account; NULL means holdfast-agent in lease_namespace */
    const char *agent_account;
    bool no_election;          /* true: lead without a Lease, because no other controller runs */
    bool approve_certificates; /* true: approve or deny the certificate requests of agents */
    bool write_labels;         /* true: write to the Nodes the labels that agents report */
    struct hf_listen_flag listen[HF_CONTROLLER_LISTENERS];
    uint64_t collect_after_ns; /* time without a Node after which an EdgeNode is deleted */
    enum hf_controller_action action;
    enum hf_log_level log_level;
};

/* Parses the command line and the environment. -EINVAL: an argument or an environment variable is wrong, or two options
 * exclude each other; *err names them and what is wrong. */
HF_MUST_USE int hf_controller_options_parse(int argc, char *const *argv, const char *(*getenv_fn)(const char *name),
                                            struct hf_controller_options *ret_options, struct hf_err *err);

/* Appends the text that --help prints to *out. */
HF_MUST_USE int hf_controller_options_help(struct hf_buf *out);
