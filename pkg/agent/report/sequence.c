/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/sequence.h"

#include <errno.h>

enum { BLOCK = 1000 };

struct sequence_file {
    uint64_t next; /* an earlier process may have used every number below it */
};

static const struct hf_record_row rows[] = {
    HF_RECORD_ROW(struct sequence_file, "next", next, .required = true, .max = (UINT64_C(1) << 53) - 1)};

const struct hf_record_type hf_sequence_type = {.name = "sequence",
                                                .version = 2,
                                                .size = sizeof(struct sequence_file),
                                                .max_bytes = 256,
                                                .rows = HF_RECORD_ROWS(rows)};

static int write_file(const struct hf_sequence *sequence, uint64_t next, struct hf_err *err)
{
    const struct hf_agent_env *env = sequence->env;

    return hf_record_save(&hf_sequence_type, env->world.fs, env->params->home->dir, &(struct sequence_file){next}, err);
}

static void log_failure(const struct hf_sequence *sequence, const struct hf_err *err)
{
    hf_log_err(sequence->env->world.log, HF_LOG_ERROR, "sequence.not_written", "node", sequence->env->params->node_name,
               err);
}

void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env)
{
    struct sequence_file file;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_record_load(&hf_sequence_type, env->world.fs, env->params->home->dir, &file, &err);

    *sequence = (struct hf_sequence){.env = env};
    if (r == 0) {
        sequence->durable = file.next;
        sequence->number = file.next - (file.next > 0);
        return;
    }
    sequence->uncertain = true; /* the API server still has our last number */
    if (r != -ENOENT)
        hf_log_err(env->world.log, HF_LOG_WARNING, "sequence.damaged", "file", "sequence", &err);
}

/* Reserves the next block in the middle of the current one, so that a disk that refuses for a while does no harm. If it
 * refuses for longer, the status matters more than its number. */
uint64_t hf_sequence_next(struct hf_sequence *sequence)
{
    struct hf_err err = HF_ERR_INIT;

    sequence->number++;
    if (sequence->number + BLOCK / 2 >= sequence->durable) {
        uint64_t end = sequence->number + BLOCK;
        if (write_file(sequence, end, &err) == 0)
            sequence->durable = end;
        else
            log_failure(sequence, &err);
    }
    return sequence->number;
}

void hf_sequence_save(struct hf_sequence *sequence)
{
    struct hf_err err = HF_ERR_INIT;

    if (sequence->number + 1 < sequence->durable && write_file(sequence, sequence->number + 1, &err) < 0)
        log_failure(sequence, &err);
}
