/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report/sequence.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "os/file.h"

enum { BLOCK = 1000, FILE_MAX = 128 };

/* `next`: an earlier process may have used every number below it. */
static int write_file(const struct hf_sequence *sequence, uint64_t next, struct hf_err *err)
{
    const struct hf_agent_env *env = sequence->env;
    char path[PATH_MAX], text[FILE_MAX];
    int n = snprintf(text, sizeof(text), "{\"format\":1,\"next\":%llu}\n", (unsigned long long)next);

    return hf_file_replace(env->fs, hf_home_path(env->params->home, "sequence", path), text, (size_t)n, 0600, err);
}

static void log_failure(const struct hf_sequence *sequence, const struct hf_err *err)
{
    hf_log_err(sequence->env->log, HF_LOG_ERROR, "sequence.not_written", "node", sequence->env->params->node_name, err);
}

void hf_sequence_load(struct hf_sequence *sequence, const struct hf_agent_env *env)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_MAX);
    _cleanup_(hf_json_freep) json_t *root = NULL;
    char path[PATH_MAX];
    struct hf_err err = HF_ERR_INIT;
    int r = hf_file_read(env->fs, hf_home_path(env->params->home, "sequence", path), &text, &err);

    *sequence = (struct hf_sequence){.env = env};
    if (r == 0)
        r = hf_json_parse(hf_buf_view(&text), NULL, &root, &err);
    int64_t next = hf_json_int_or(root, "next", -1);
    if (r == 0 && (hf_json_int_or(root, "format", 0) != 1 || next < 0 || next >= INT64_C(1) << 53))
        r = hf_err_set(&err, EBADMSG, "unknown format of the sequence file");
    if (r == 0) {
        sequence->durable = (uint64_t)hf_json_int_or(root, "next", 0);
        sequence->number = sequence->durable - (sequence->durable > 0);
        return;
    }
    sequence->uncertain = true; /* the API server still has our last number */
    if (r != -ENOENT)
        hf_log_err(env->log, HF_LOG_WARNING, "sequence.damaged", "file", path, &err);
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
