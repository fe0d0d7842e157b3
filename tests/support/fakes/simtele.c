/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simtele.h"

#include <check.h>

void hf_simtele_init(struct hf_simtele *node, uint64_t seed)
{
    *node = (struct hf_simtele){.loop = hf_simloop_new(seed), .fs = hf_simfs_new(), .metrics = hf_metrics_new()};
    node->net = hf_simnet_new(node->loop);
    hf_simfs_mkdir(node->fs, "/data", 0700);
}

void hf_simtele_done(struct hf_simtele *node)
{
    ck_assert_uint_eq(hf_simfs_open_fds(node->fs), 0);
    hf_simnet_free(node->net);
    hf_metrics_free(node->metrics);
    hf_simfs_free(node->fs);
    hf_simloop_free(node->loop);
}

void hf_simtele_boot(struct hf_simtele *node)
{
    node->proc = hf_simproc_new(node->loop, "node-1");
    node->client = hf_simnet_client(node->net, node->proc);
    node->env = (struct hf_telemetry_env){.fs = hf_simfs_ops(node->fs),
                                          .clock = hf_simproc_clock(node->proc),
                                          .sched = hf_simproc_sched(node->proc),
                                          .rand = hf_simproc_rand(node->proc),
                                          .metrics = node->metrics,
                                          .node = "node-1",
                                          .dir = "/data"};
}

void hf_simtele_halt(struct hf_simtele *node)
{
    hf_simtele_run_s(node, 1);
    ck_assert_uint_eq(hf_simproc_jobs(node->proc), 0);
    ck_assert_uint_eq(hf_simproc_timers(node->proc), 0);
    hf_simclient_free(node->client);
    hf_simproc_free(node->proc);
}

void hf_simtele_run_s(struct hf_simtele *node, unsigned s)
{
    (void)hf_simloop_run_for(node->loop, s * HF_NS_PER_S);
}
