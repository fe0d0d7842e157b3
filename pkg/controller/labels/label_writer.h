/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the labels that agents report to their Nodes, to each at most once in ten seconds. Also removes labels that an
 * agent wrote itself, if its report has status.labels. */
#pragma once

#include "controller/lead/turns.h"

struct hf_label_writer;

enum { HF_LABEL_WRITER_MAX_FLYING = 4, HF_LABEL_WRITER_PER_S = 20 };

struct hf_label_writer *hf_label_writer_new(const struct hf_leader_env *env);
void hf_label_writer_free(struct hf_label_writer *writer);
HF_DEFINE_CLEANUP(struct hf_label_writer, hf_label_writer_free)

void hf_label_writer_take_node(struct hf_label_writer *writer, const json_t *node);
void hf_label_writer_take_edgenode(struct hf_label_writer *writer, const json_t *edgenode);
void hf_label_writer_drop_node(struct hf_label_writer *writer, const char *name);
void hf_label_writer_drop_edgenode(struct hf_label_writer *writer, const char *name);

void hf_label_writer_lead(struct hf_label_writer *writer);
