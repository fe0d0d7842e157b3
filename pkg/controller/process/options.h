/* SPDX-License-Identifier: Apache-2.0 */
/* The controller's flags and environment variables. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/flags/listen.h"
#include "base/log.h"

enum hf_controller_action { HF_CONTROLLER_RUN, HF_CONTROLLER_HELP, HF_CONTROLLER_VERSION };

enum hf_controller_listener { HF_CONTROLLER_METRICS, HF_CONTROLLER_HEALTH, HF_CONTROLLER_LISTENERS };

/* Borrows from argv and environment. */
struct hf_controller_options {
    const char *server, *kubeconfig;
    const char *lease_namespace, *lease_name;
    const char *identity;      /* NULL: the host's name */
    const char *agent_account; /* NULL: holdfast-agent in lease_namespace */
    bool no_election;
    bool approve_certificates;
    bool write_labels;
    struct hf_listen_flag listen[HF_CONTROLLER_LISTENERS];
    uint64_t collect_after_ns; /* delete EdgeNodes after so long without a Node */
    enum hf_controller_action action;
    enum hf_log_level log_level;
};

HF_MUST_USE int hf_controller_options_parse(int argc, char *const *argv, const char *(*getenv_fn)(const char *name),
                                            struct hf_controller_options *ret_options, struct hf_err *err);

HF_MUST_USE int hf_controller_options_help(struct hf_buf *out);
