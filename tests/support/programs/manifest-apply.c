/* SPDX-License-Identifier: Apache-2.0 */
/* manifest-apply KUBECONFIG ENTRY INVENTORY [--force] [--prune] [--beyond] FILE...: one run of the target Cluster
 * (manifests/cluster/cluster.h) against a real API server. INVENTORY is a file with JSON, read before and written after.
 * Without a FILE it removes the entry; with --check it only looks. Prints the outcome as one line of JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/upstream.h"
#include "loop/loop.h"
#include "manifests/cluster/cluster.h"
#include "os/clock_posix.h"
#include "os/rand_posix.h"

struct program {
    struct hf_loop *loop;
    struct hf_manifest_env env;
    struct hf_cluster_run *run;
    const char *inventory_path;
    unsigned journals;
};

static void fail(const char *what, const struct hf_err *err)
{
    char text[600];

    (void)fprintf(stderr, "manifest-apply: %s: %s\n", what, hf_err_text(err, text, sizeof(text)));
    exit(2);
}

static void journal(void *arg, const json_t *inventory)
{
    struct program *program = arg;

    program->journals++;
    hf_cluster_run_journaled(program->run, json_dump_file(inventory, program->inventory_path, 0) == 0 ? 0 : -EIO);
}

static void done(void *arg, const struct hf_manifest_outcome *outcome)
{
    struct program *program = arg;
    json_t *line =
        json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:b, s:i}", "r", outcome->r, "reason",
                  hf_manifest_reason_name(outcome->reason), "message", outcome->message, "applied",
                  (int)outcome->applied, "changed", (int)outcome->changed, "pruned", (int)outcome->pruned, "drifted",
                  (int)outcome->drifted, "healthy", outcome->healthy, "journals", (int)program->journals);

    (void)json_dumpf(line, stdout, 0);
    (void)json_dump_file(outcome->inventory, program->inventory_path, 0);
    json_decref(line);
    json_decref(outcome->inventory);
    hf_loop_stop(program->loop);
}

static void add_file(struct hf_bundle *bundle, const char *path)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_BUNDLE_MAX_FILE);
    const char *slash = strrchr(path, '/');
    struct hf_err err = HF_ERR_INIT;
    char piece[4096];
    size_t n;
    FILE *file = fopen(path, "re");

    while (file != NULL && (n = fread(piece, 1, sizeof(piece), file)) > 0)
        if (hf_buf_add(&text, piece, n) < 0)
            exit(2);
    if (file == NULL || fclose(file) != 0 ||
        hf_bundle_add(bundle, slash != NULL ? slash + 1 : path, 0, hf_buf_view(&text), &err) < 0)
        fail(path, &err);
}

static void start(struct program *program, const char *entry, char **words, int n)
{
    struct hf_cluster_apply_params apply = {
        .env = &program->env, .entry = entry, .journal = journal, .done = done, .arg = program};
    struct hf_bundle *bundle = hf_bundle_new();
    json_t *inventory = json_load_file(program->inventory_path, 0, NULL);
    struct hf_err err = HF_ERR_INIT;
    bool look = false;

    for (int i = 0; i < n; i++) {
        apply.force |= strcmp(words[i], "--force") == 0;
        apply.prune |= strcmp(words[i], "--prune") == 0;
        apply.may_prune_beyond |= strcmp(words[i], "--beyond") == 0;
        look |= strcmp(words[i], "--check") == 0;
        if (strncmp(words[i], "--", 2) != 0)
            add_file(bundle, words[i]);
    }
    apply.inventory = inventory;
    apply.bundle = bundle->n > 0 ? bundle : NULL;
    struct hf_cluster_check_params check = {
        .env = &program->env, .entry = entry, .inventory = inventory, .done = done, .arg = program};
    if (hf_bundle_seal(bundle, &err) < 0 || (look ? hf_cluster_check_start(&check, &program->run, &err)
                                                  : hf_cluster_apply_start(&apply, &program->run, &err)) < 0)
        fail("start", &err);
    hf_bundle_free(bundle);
    json_decref(inventory);
}

int main(int argc, char **argv)
{
    struct hf_err err = HF_ERR_INIT;
    struct program program = {.loop = hf_loop_new(&err)};

    if (argc < 4 || program.loop == NULL) {
        (void)fprintf(stderr, "usage: manifest-apply KUBECONFIG ENTRY INVENTORY [OPTION...] [FILE...]\n");
        return 2;
    }
    program.inventory_path = argv[3];
    struct hf_upstream_params params = {.loop = program.loop,
                                        .world = hf_loop_world(program.loop),
                                        .kubeconfig = argv[1],
                                        .user_agent = "manifest-apply/0",
                                        .field_manager = "manifest-apply"};
    struct hf_upstream *upstream = hf_upstream_new(&params, &err);
    if (upstream == NULL)
        fail(argv[1], &err);
    program.env =
        (struct hf_manifest_env){.world = params.world, .kube = hf_upstream_kube(upstream), .node_name = "n1"};
    start(&program, argv[2], argv + 4, argc - 4);
    hf_loop_run(program.loop);
    hf_upstream_free(upstream);
    hf_loop_free(program.loop);
    return 0;
}
