/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simalone.h"

#include <stdlib.h>
#include <string.h>

#define FOLDER "/etc/kubernetes/manifests"
#define K3S "/var/lib/rancher/k3s"

enum { MAX_PODS = 4, MAX_TEXT = 400 };

struct hf_simalone *hf_simalone_new(uint64_t seed, bool k3s, size_t pods)
{
    static const char *const of_k3s[] = {K3S "/data/current/bin/containerd", K3S "/agent/etc/containerd/config.toml",
                                         K3S "/data/current/bin/crictl"};
    static const char *const plain[] = {"/usr/bin/containerd", "/etc/containerd/config.toml", "/usr/bin/crictl"};
    struct hf_simalone *world = calloc(1, sizeof(*world));

    if (world == NULL || pods > MAX_PODS)
        abort();
    world->loop = hf_simloop_new(seed);
    world->fs = hf_simfs_new();
    world->cri = (struct hf_simcri){.fs = world->fs, .k3s = k3s};
    world->n_pods = pods;
    for (size_t i = 0; i < HF_LEN(plain); i++)
        hf_simfs_put(world->fs, k3s ? of_k3s[i] : plain[i], "x", 1, 0755);
    return world;
}

void hf_simalone_free(struct hf_simalone *world)
{
    hf_simalone_kill(world);
    hf_simfs_free(world->fs);
    hf_simloop_free(world->loop);
    free(world);
}

static bool server_answers(void *arg)
{
    const struct hf_simalone *world = arg;

    return world->server;
}

static void changed(void *arg)
{
    struct hf_simalone *world = arg;

    world->changes++;
}

void hf_simalone_start(struct hf_simalone *world)
{
    struct hf_simhost_world cri = hf_simcri_world(&world->cri);
    struct hf_err err = HF_ERR_INIT;

    world->proc = hf_simproc_new(world->loop, "agent");
    hf_simproc_set_boot(world->proc, world->boot_ns);
    world->host = hf_simhost_new(world->proc, &cri);
    const struct hf_alone_params params = {.world = hf_simproc_world(world->proc, hf_simfs_ops(world->fs)),
                                           .proc = hf_simhost_proc(world->host),
                                           .probe = hf_simhost_probe(world->host),
                                           .unit = hf_simhost_unit(world->host),
                                           .state_dir = "/var/lib/holdfast",
                                           .node_name = "n1",
                                           .on_host = true,
                                           .server_answers = server_answers,
                                           .changed = changed,
                                           .arg = world};
    if (hf_alone_new(&params, &world->alone, &err) < 0)
        abort();
    hf_simalone_set(world);
}

void hf_simalone_kill(struct hf_simalone *world)
{
    if (world->alone == NULL)
        return;
    hf_alone_free(world->alone);
    world->alone = NULL;
    hf_simproc_kill(world->proc);
    hf_simhost_free(world->host);
    hf_simproc_free(world->proc);
    hf_simfs_kill(world->fs);
}

void hf_simalone_power_cut(struct hf_simalone *world, uint64_t seed)
{
    hf_simalone_kill(world);
    hf_simfs_power_cut(world->fs, seed);
    hf_simcri_reboot(&world->cri);
    world->boot_ns = hf_simloop_now_ns(world->loop);
}

void hf_simalone_set(struct hf_simalone *world)
{
    static const char good[] =
        "{apiVersion: v1, kind: Pod, metadata: {name: p%zu, namespace: site}, spec: {hostNetwork: "
        "true, containers: [{name: c, image: 'i@sha256:%064u'}]}}\n";
    struct hf_alone_file files[MAX_PODS] = {0};
    char paths[MAX_PODS][64], text[MAX_TEXT];

    for (size_t i = 0; i < world->n_pods; i++) {
        int n = world->manifests != NULL ? snprintf(text, sizeof(text), "%s", world->manifests)
                                         : snprintf(text, sizeof(text), good, i, world->version);
        (void)snprintf(paths[i], sizeof(paths[i]), FOLDER "/p%zu.yaml", i);
        hf_simfs_put(world->fs, paths[i], text, (size_t)n, 0600);
        files[i] = (struct hf_alone_file){.entry = "web", .path = paths[i]};
        hf_sha256_of(text, (size_t)n, files[i].sha256, sizeof(files[i].sha256));
    }
    if (world->alone != NULL)
        hf_alone_set(world->alone, files, world->n_pods);
}
