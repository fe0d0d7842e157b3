/* SPDX-License-Identifier: Apache-2.0 */
/* Watches SyncPolicies, and writes their status, each at most once in ten seconds. */
#pragma once

#include "controller/lead/turns.h"

struct hf_policy_writer;

enum { HF_POLICY_WRITER_PER_S = 2 };

struct hf_policy_writer_params {
    struct hf_leader_env env;
    bool (*is_complete)(void *arg); /* whether all Nodes, EdgeNodes and EdgeUpdates have come */
    uint64_t (*unix_ns)(void *arg); /* the API server's time */
};

struct hf_policy_writer *hf_policy_writer_new(const struct hf_policy_writer_params *params, struct hf_err *err);
void hf_policy_writer_free(struct hf_policy_writer *writer);
HF_DEFINE_CLEANUP(struct hf_policy_writer, hf_policy_writer_free)

void hf_policy_writer_take_node(struct hf_policy_writer *writer, const json_t *node);
void hf_policy_writer_take_edgenode(struct hf_policy_writer *writer, const json_t *edgenode);
void hf_policy_writer_drop_node(struct hf_policy_writer *writer, const char *name);
void hf_policy_writer_drop_edgenode(struct hf_policy_writer *writer, const char *name);

void hf_policy_writer_lead(struct hf_policy_writer *writer);
