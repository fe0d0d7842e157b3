/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/cluster/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Text is about as long as the compact JSON that it becomes. */
enum { MAX_TEXT = HF_CLUSTER_MAX_BYTES + (4 << 20) };

struct parse_text {
    char *path;
    struct hf_buf bytes;
};

struct hf_cluster_parse {
    struct hf_job job;
    struct parse_text *texts;
    size_t n;
    char *entry;
    struct hf_cluster_set set; /* belongs to the job, then to `done` */
    int r;
    struct hf_err err;
    void (*done)(void *arg, int r, struct hf_cluster_set *set, const struct hf_err *err); /* NULL: forgotten */
    void *arg;
};

static void parse_free(struct hf_cluster_parse *parse)
{
    for (size_t i = 0; i < parse->n; i++) {
        free(parse->texts[i].path);
        hf_buf_done(&parse->texts[i].bytes);
    }
    hf_cluster_set_done(&parse->set);
    free(parse->texts);
    free(parse->entry);
    free(parse);
}

static void work(struct hf_job *job)
{
    struct hf_cluster_parse *parse = hf_container_of(job, struct hf_cluster_parse, job);

    for (size_t i = 0; parse->r == 0 && i < parse->n; i++) {
        parse->r =
            hf_cluster_set_add(&parse->set, parse->texts[i].path, hf_buf_view(&parse->texts[i].bytes), &parse->err);
        hf_buf_done(&parse->texts[i].bytes);
    }
    if (parse->r == 0)
        parse->r = hf_cluster_set_seal(&parse->set, &parse->err);
    if (parse->r < 0)
        hf_cluster_set_done(&parse->set);
}

static void ended(struct hf_job *job, int cancelled)
{
    struct hf_cluster_parse *parse = hf_container_of(job, struct hf_cluster_parse, job);

    if (cancelled && parse->r == 0)
        parse->r = hf_err_set(&parse->err, ECANCELED, "the agent ends");
    if (parse->done != NULL)
        parse->done(parse->arg, parse->r, &parse->set, &parse->err);
    parse_free(parse);
}

static int copy(struct hf_cluster_parse *parse, const struct hf_bundle *bundle, struct hf_err *err)
{
    size_t bytes = 0;

    for (size_t i = 0; i < bundle->n; i++) {
        const struct hf_bundle_file *file = &bundle->files[i];
        struct parse_text *text = &parse->texts[parse->n];
        if (!hf_cluster_set_reads(file->path))
            continue;
        bytes += file->bytes.n;
        if (bytes > MAX_TEXT)
            return hf_err_set(err, E2BIG, "the files have more than %d bytes", (int)MAX_TEXT);
        text->bytes = (struct hf_buf)HF_BUF_INIT(HF_BUNDLE_MAX_FILE);
        text->path = strdup(file->path);
        parse->n++;
        if (text->path == NULL || hf_buf_add(&text->bytes, file->bytes.p, file->bytes.n) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
    }
    return 0;
}

int hf_cluster_parse_start(const struct hf_sched_ops *sched, const struct hf_bundle *bundle, const char *entry,
                           void (*done)(void *arg, int r, struct hf_cluster_set *set, const struct hf_err *err),
                           void *arg, struct hf_cluster_parse **ret_parse, struct hf_err *err)
{
    struct hf_cluster_parse *parse = calloc(1, sizeof(*parse));

    if (parse == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *parse = (struct hf_cluster_parse){.job = {.work = work, .done = ended}, .done = done, .arg = arg};
    parse->entry = strdup(entry);
    parse->texts = calloc(bundle->n + 1, sizeof(*parse->texts));
    hf_cluster_set_init(&parse->set, parse->entry);
    int r = parse->entry != NULL && parse->texts != NULL ? copy(parse, bundle, err)
                                                         : hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0)
        r = hf_job_submit(sched, &parse->job);
    if (r < 0) {
        parse_free(parse);
        return hf_err_wrap(err, r, "read the objects");
    }
    *ret_parse = parse;
    return 0;
}

void hf_cluster_parse_forget(struct hf_cluster_parse *parse)
{
    if (parse != NULL)
        parse->done = NULL;
}
