/* SPDX-License-Identifier: Apache-2.0 */
/* What the loop does with the node's runtime, by what it finds there, and what it says of an entry: one row each. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simalone.h"

#define STARTED "systemd-run runp create start "

static void nothing(struct hf_simalone *w)
{
    (void)w;
}

static void server(struct hf_simalone *w)
{
    w->server = true;
}

static void kubelet(struct hf_simalone *w)
{
    w->cri.wants = true;
    w->cri.kubelet = true;
    hf_simcri_turn(&w->cri);
}

static void node_runtime(struct hf_simalone *w)
{
    w->cri.wants = true;
    hf_simcri_turn(&w->cri);
}

static void twin(struct hf_simalone *w)
{
    node_runtime(w);
    hf_simcri_run_twin(&w->cri, "site", "p0-n1");
}

static void crash(struct hf_simalone *w)
{
    hf_simcri_crash(&w->cri);
}

static void breaks(struct hf_simalone *w)
{
    w->cri.breaks = true;
}

static void refused(struct hf_simalone *w)
{
    w->manifests = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}\n";
}

static void no_pods(struct hf_simalone *w)
{
    w->n_pods = 0;
}

static void other_version(struct hf_simalone *w)
{
    w->version++;
}

static void new_agent(struct hf_simalone *w)
{
    hf_simalone_kill(w);
    hf_simalone_start(w);
}

/* `first`, an agent for `first_s`; `then`, for `then_s` more. The machine has been up for 5 s when the agent starts. */
static const struct {
    const char *name;
    bool k3s;
    void (*first)(struct hf_simalone *w);
    unsigned first_s;
    void (*then)(struct hf_simalone *w);
    unsigned then_s;
    const char *verbs, *status;
    bool marked;
} rows[] = {
    {"not yet", true, nothing, 4, nothing, 0, "", "Standby", false},
    {"cut off", true, nothing, 8, nothing, 0, STARTED, "Running", true},
    {"the server answers: the kubelet may be slow", true, server, 50, nothing, 0, "", "Standby", false},
    {"the server answers, and no kubelet comes", true, server, 60, nothing, 0, STARTED, "Running", true},
    {"a kubelet from the start", false, kubelet, 200, nothing, 0, "", "Standby", false},
    {"K3s comes", true, nothing, 8, kubelet, 10, STARTED "rmp stop ", "Standby", false},
    {"containerd.service comes", false, nothing, 8, node_runtime, 2, STARTED "rmp stop ", "Standby", true},
    {"and its kubelet", false, nothing, 8, kubelet, 10, STARTED "rmp stop ", "Standby", false},
    {"its containerd, and no kubelet", false, node_runtime, 8, nothing, 0, "runp create start ", "Running", true},
    {"only the kubelet has ended", false, twin, 100, nothing, 0, "", "Starting", true},
    {"a container ends", true, nothing, 8, crash, 4, STARTED "rm create start ", "Running", true},
    {"no container starts", true, breaks, 7, nothing, 0, STARTED "rm ", "Starting", true},
    {"a manifest that only a kubelet can run", true, refused, 20, nothing, 0, "", "Refused", false},
    {"no pod any more", true, nothing, 8, no_pods, 4, STARTED "rmp stop ", "", true},
    {"another version", true, nothing, 8, other_version, 4, STARTED "rmp runp create start ", "Running", true},
    {"the agent restarts", true, nothing, 8, new_agent, 20, STARTED, "Running", true},
};

static void run(struct hf_simalone *w, unsigned seconds)
{
    for (unsigned i = 0; i < 4 * seconds; i++) {
        hf_simalone_set(w);
        hf_simloop_run_for(w->loop, HF_NS_PER_S / 4);
    }
}

START_TEST(decisions)
{
    struct hf_simalone *w = hf_simalone_new(0, rows[_i].k3s, 1);
    const struct hf_fs_ops *fs = hf_simfs_ops(w->fs);
    const char *message;
    struct stat st;

    rows[_i].first(w);
    hf_simalone_start(w);
    run(w, rows[_i].first_s);
    rows[_i].then(w);
    run(w, rows[_i].then_s);
    const char *status = hf_alone_status(w->alone, "web", &message);
    bool marked = fs->fstatat(fs->ctx, AT_FDCWD, "/var/lib/holdfast/alone", &st, 0) == 0;
    ck_assert_msg(strcmp(w->cri.verbs, rows[_i].verbs) == 0, "%s: %s", rows[_i].name, w->cri.verbs);
    ck_assert_msg(rows[_i].status[0] == '\0' || strcmp(status, rows[_i].status) == 0, "%s: %s: %s", rows[_i].name,
                  status, message);
    ck_assert_msg(marked == rows[_i].marked, "%s: marked %d", rows[_i].name, marked);
    hf_simalone_free(w);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, decisions, 0, HF_LEN(rows));
}

HF_TEST_MAIN("alone/alone", cases)
