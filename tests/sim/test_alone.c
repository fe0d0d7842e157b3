/* SPDX-License-Identifier: Apache-2.0 */
/* Static pods while no kubelet comes, through kills, power cuts and a kubelet that comes and goes: never two instances
 * of a pod, none of ours left beside a kubelet, and each started within its bound. */
#include <errno.h>
#include <fcntl.h>

#include "support/check_main.h"
#include "support/fakes/simalone.h"
#include "support/walk.h"

enum { PODS = 2, SECOND_EVENTS = 90 };

#define STARTS_NS (75 * HF_NS_PER_S)       /* 60 s without a kubelet, and the steps */
#define CUT_OFF_NS (15 * HF_NS_PER_S)      /* since the boot, without an API server */
#define HANDS_OVER_NS (5 * HF_NS_PER_S)    /* since the kubelet answers */
#define KUBELET_FIRST_NS (2 * HF_NS_PER_S) /* from its answer to its first pod */
#define TURN_NS (250 * HF_NS_PER_MS)

struct story {
    struct hf_simalone *world;
    uint64_t seed;
    bool coming;         /* the kubelet runs, or will */
    uint64_t ready_ns;   /* its containerd runs since; 0: not yet */
    uint64_t answers_ns; /* since; 0: not yet */
    uint64_t twins_ns;   /* not before */
    uint64_t alive_ns;   /* the agent, since */
    uint64_t quiet_ns;   /* no kubelet is there or comes, since */
    uint64_t same_ns;    /* the pods and the server are what they are, since */
    bool twins;          /* its pods run */
    unsigned late;       /* its pod found the port taken */
    bool lost_answer;    /* of a command: the agent ends before it hears of it */
    unsigned kills, cuts;
};

static uint64_t now(const struct story *s)
{
    return hf_simloop_now_ns(s->world->loop);
}

static uint64_t below(struct story *s, uint64_t n)
{
    return hf_simloop_below(s->world->loop, n);
}

static bool chance(struct story *s, unsigned of)
{
    return below(s, of) == 0;
}

/* ---- the kubelet ------------------------------------------------------------------------------------------------- */

static void kubelet_comes(struct story *s)
{
    s->coming = true;
    s->ready_ns = s->answers_ns = 0;
    s->world->cri.wants = !s->world->cri.k3s || s->world->cri.wants;
}

/* With K3s its containerd ends, too; the pods run on. */
static void kubelet_goes(struct story *s)
{
    struct hf_simcri *cri = &s->world->cri;

    s->coming = false;
    s->answers_ns = 0;
    cri->kubelet = false;
    cri->wants = cri->k3s ? false : cri->wants;
    hf_simcri_turn(cri);
    s->quiet_ns = now(s);
}

static void run_twins(struct story *s)
{
    char name[32];

    if (hf_simcri_running(&s->world->cri, true) > 0) {
        s->late++;
        s->twins_ns = now(s) + 10 * HF_NS_PER_S;
        return;
    }
    for (size_t i = 0; i < s->world->n_pods; i++) {
        (void)snprintf(name, sizeof(name), "p%zu-n1", i);
        hf_simcri_run_twin(&s->world->cri, "site", name);
    }
    s->twins = true;
}

/* K3s takes our containerd while that runs, and has its own after it. */
static void turn_kubelet(struct story *s)
{
    struct hf_simcri *cri = &s->world->cri;

    if (!s->coming)
        return;
    cri->wants = true;
    hf_simcri_turn(cri);
    bool runtime = cri->node || (cri->k3s && cri->own);
    s->ready_ns = !runtime ? 0 : s->ready_ns != 0 ? s->ready_ns : now(s);
    if (runtime && s->answers_ns == 0 && now(s) - s->ready_ns > HF_NS_PER_S) {
        cri->kubelet = true;
        s->answers_ns = now(s);
        s->twins_ns = now(s) + KUBELET_FIRST_NS;
    }
    if (s->answers_ns != 0 && !s->twins && now(s) >= s->twins_ns)
        run_twins(s);
}

/* ---- what always holds ------------------------------------------------------------------------------------------- */

static bool before(void *arg)
{
    struct story *s = arg;

    s->lost_answer = !s->lost_answer && chance(s, 40);
    return !s->lost_answer || chance(s, 2);
}

static bool after(void *arg)
{
    const struct story *s = arg;

    return !s->lost_answer;
}

static void check(const struct story *s)
{
    const struct hf_simcri *cri = &s->world->cri;
    size_t ours = hf_simcri_running(cri, true), theirs = hf_simcri_running(cri, false);

    ck_assert_msg(ours <= s->world->n_pods || now(s) - s->same_ns < HANDS_OVER_NS || now(s) - s->alive_ns < STARTS_NS,
                  "seed %ju: %zu instances of ours, %s", (uintmax_t)s->seed, ours, cri->verbs);
    ck_assert_msg(ours == 0 || theirs == 0, "seed %ju: two instances: %s", (uintmax_t)s->seed, cri->verbs);
    bool alive = s->world->alone != NULL;
    if (alive && s->answers_ns != 0 && now(s) - HF_MAX(s->answers_ns, s->alive_ns) > HANDS_OVER_NS)
        ck_assert_msg(hf_simcri_left(cri) == 0, "seed %ju: left beside a kubelet: %s", (uintmax_t)s->seed, cri->verbs);
    if (!alive || s->coming || theirs > 0)
        return;
    uint64_t since = HF_MAX(HF_MAX(s->quiet_ns, s->alive_ns), s->same_ns);
    ck_assert_msg(now(s) - since < STARTS_NS || ours == s->world->n_pods,
                  "seed %ju: %zu of %zu run after %ju s alone: %s", (uintmax_t)s->seed, ours, s->world->n_pods,
                  (uintmax_t)((now(s) - since) / HF_NS_PER_S), cri->verbs);
    bool cut_off = s->quiet_ns == s->world->boot_ns && s->same_ns <= s->world->boot_ns && !s->world->server &&
                   s->alive_ns == s->world->boot_ns;
    ck_assert_msg(!cut_off || now(s) - s->world->boot_ns < CUT_OFF_NS || ours == s->world->n_pods,
                  "seed %ju: %zu of %zu run %ju s after a boot without a network: %s", (uintmax_t)s->seed, ours,
                  s->world->n_pods, (uintmax_t)((now(s) - s->world->boot_ns) / HF_NS_PER_S), cri->verbs);
}

/* ---- what happens ------------------------------------------------------------------------------------------------ */

static void start(struct story *s)
{
    s->lost_answer = false;
    hf_simalone_start(s->world);
    s->alive_ns = now(s);
}

static void kill_agent(struct story *s)
{
    s->kills++;
    hf_simalone_kill(s->world);
}

static void cut_power(struct story *s)
{
    s->cuts++;
    kubelet_goes(s);
    hf_simalone_power_cut(s->world, s->seed + s->cuts);
    s->twins = false;
    s->quiet_ns = s->world->boot_ns;
    if (!s->world->server && chance(s, 2))
        start(s); /* with the machine */
}

static void something_happens(struct story *s)
{
    struct hf_simalone *world = s->world;

    switch (below(s, 10)) {
    case 0:
    case 1:
        kubelet_comes(s);
        s->twins = false;
        break;
    case 2:
    case 3:
        kubelet_goes(s);
        break;
    case 4:
        cut_power(s);
        break;
    case 5:
        kill_agent(s);
        break;
    case 6:
        hf_simcri_crash(&world->cri);
        s->same_ns = now(s);
        s->twins = false;
        break;
    case 7:
        world->server = !world->server;
        s->same_ns = now(s);
        break;
    case 8:
        world->version++;
        s->same_ns = now(s);
        break;
    default:
        hf_simfs_stop_at(world->fs, 1 + below(s, 12)); /* the power goes in the middle of a step */
        break;
    }
}

static void run_for(struct story *s, uint64_t ns, bool quietly)
{
    for (uint64_t end = now(s) + ns; now(s) < end;) {
        turn_kubelet(s);
        hf_simloop_run_for(s->world->loop, below(s, TURN_NS) + 1);
        if (hf_simfs_stopped(s->world->fs))
            cut_power(s);
        else if (s->lost_answer)
            kill_agent(s);
        if (s->world->alone == NULL && (quietly || chance(s, 20)))
            start(s);
        if (s->world->alone != NULL)
            hf_simalone_set(s->world);
        if (!quietly && chance(s, SECOND_EVENTS))
            something_happens(s);
        check(s);
    }
}

static void tell_story(uint64_t seed, bool k3s)
{
    struct story s = {.world = hf_simalone_new(seed, k3s, PODS), .seed = seed};
    struct stat st;

    s.world->cri.before = before;
    s.world->cri.after = after;
    s.world->cri.arg = &s;
    s.world->server = seed % 2 == 0;
    start(&s);
    run_for(&s, 600 * HF_NS_PER_S, false);

    s.world->cri.before = s.world->cri.after = NULL;
    hf_simfs_stop_at(s.world->fs, 0);
    kubelet_goes(&s);
    hf_simcri_crash(&s.world->cri); /* the pods of the kubelet, too */
    s.same_ns = now(&s);
    run_for(&s, 2 * STARTS_NS, true);
    ck_assert_uint_eq(hf_simcri_running(&s.world->cri, true), PODS);

    s.late = 0;
    s.twins = false;
    kubelet_comes(&s);
    run_for(&s, 60 * HF_NS_PER_S, true);
    ck_assert_msg(s.late == 0, "seed %ju: the kubelet found the port taken: %s", (uintmax_t)seed, s.world->cri.verbs);
    ck_assert_uint_eq(hf_simcri_running(&s.world->cri, false), PODS);
    ck_assert_uint_eq(hf_simcri_left(&s.world->cri), 0);
    ck_assert(!s.world->cri.own);
    ck_assert_int_eq(
        hf_simfs_ops(s.world->fs)->fstatat(hf_simfs_ops(s.world->fs)->ctx, AT_FDCWD, "/var/lib/holdfast/alone", &st, 0),
        -ENOENT);
    hf_simalone_free(s.world);
}

START_TEST(beside_containerd)
{
    tell_story((uint64_t)_i, false);
}
END_TEST

START_TEST(beside_k3s)
{
    tell_story((uint64_t)_i, true);
}
END_TEST

static void cases(TCase *tc)
{
    hf_walk_add_loop_test(tc, beside_containerd, 120);
    hf_walk_add_loop_test(tc, beside_k3s, 120);
}

HF_TEST_MAIN_CPU("sim/alone", cases, 120)
