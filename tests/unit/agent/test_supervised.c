/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's side of the pipe, on virtual time: what the supervisor hears, and when. */
#include "agent/process/supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/fakes/simloop.h"

#define PROBATION_NS (20 * HF_NS_PER_S)

struct scene {
    struct hf_simloop *loop;
    struct hf_simproc *proc;
    struct hf_supervised *supervised;
    struct hf_supervised_facts facts;
    char dir[64];
    int pipe[2];
    unsigned stops;
};

static struct hf_supervised_facts look(void *arg)
{
    const struct scene *s = arg;

    return s->facts;
}

static void stop(void *arg, const char *why)
{
    struct scene *s = arg;

    ck_assert_str_eq(why, "swapped");
    s->stops++;
}

static void set_up(struct scene *s, bool supervised)
{
    *s = (struct scene){.loop = hf_simloop_new(0), .facts = {true, true}, .dir = "/tmp/hf_supervised.XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(s->dir));
    s->proc = hf_simproc_new(s->loop, "node");
    ck_assert_int_eq(pipe2(s->pipe, O_NONBLOCK | O_CLOEXEC), 0);
    const struct hf_supervised_params params = {.world = hf_simproc_world(s->proc, hf_fs_posix()),
                                                .state_dir = s->dir,
                                                .probation_ns = PROBATION_NS,
                                                .look = look,
                                                .stop = stop,
                                                .arg = s};
    s->supervised = hf_supervised_new(&params, supervised ? s->pipe[1] : -1);
    ck_assert_ptr_nonnull(s->supervised);
    if (!supervised)
        (void)close(s->pipe[1]);
}

static void tear_down(struct scene *s)
{
    hf_supervised_free(s->supervised);
    hf_simproc_free(s->proc);
    hf_simloop_free(s->loop);
    (void)close(s->pipe[0]);
    (void)rmdir(s->dir);
}

/* What it has said since the last call, a letter for a line. */
static const char *heard(struct scene *s)
{
    static char letters[64];
    char text[512];
    ssize_t n = read(s->pipe[0], text, sizeof(text));
    size_t lines = 0;
    bool begin = true;

    for (ssize_t i = 0; i < n && lines < sizeof(letters) - 1; i++) {
        if (begin)
            letters[lines++] = text[i] == 'r' && text[i + 2] == 's' ? 'R' : text[i]; /* restart, ready */
        begin = text[i] == '\n';
    }
    letters[lines] = '\0';
    return letters;
}

static void wait_s(struct scene *s, unsigned seconds)
{
    (void)hf_simloop_run_for(s->loop, seconds * HF_NS_PER_S);
}

START_TEST(healthy_after_probation)
{
    struct scene s;
    uint64_t for_ns = 0;

    set_up(&s, true);
    hf_supervised_alive(s.supervised);
    ck_assert_str_eq(heard(&s), "a");
    hf_supervised_ready(s.supervised);
    ck_assert_str_eq(heard(&s), "ra");
    wait_s(&s, 19);
    ck_assert_str_eq(heard(&s), "aaa");
    wait_s(&s, 12); /* each line of this life says it again */
    ck_assert_str_eq(heard(&s), "hhh");
    s.facts.has_state = false;
    wait_s(&s, 5);
    ck_assert_str_eq(heard(&s), "a");
    ck_assert(!hf_supervised_life(s.supervised)->healthy(hf_supervised_life(s.supervised)->ctx, &for_ns));
    s.facts.has_state = true;
    wait_s(&s, 20);
    ck_assert_str_eq(heard(&s), "aaaa");
    ck_assert(hf_supervised_life(s.supervised)->healthy(hf_supervised_life(s.supervised)->ctx, &for_ns));
    ck_assert_uint_eq(for_ns, 15 * HF_NS_PER_S);
    wait_s(&s, 5);
    ck_assert_str_eq(heard(&s), "h");
    tear_down(&s);
}
END_TEST

START_TEST(each_fact_counts)
{
    const struct hf_supervised_facts all = {true, true};
    const struct hf_supervised_facts none[] = {{false, true}, {true, false}};
    struct hf_supervised_health health = {.holds = false};

    for (size_t i = 0; i < HF_LEN(none); i++) {
        hf_supervised_judge(&health, &all, 5 * HF_NS_PER_S);
        hf_supervised_judge(&health, &all, 10 * HF_NS_PER_S);
        ck_assert(health.holds && health.held_ns == 5 * HF_NS_PER_S);
        hf_supervised_judge(&health, &none[i], 15 * HF_NS_PER_S);
        ck_assert(!health.holds && health.held_ns == 0);
    }
    /* An hour of sleep is no hour of health. */
    hf_supervised_judge(&health, &all, 20 * HF_NS_PER_S);
    hf_supervised_judge(&health, &all, 3620 * HF_NS_PER_S);
    ck_assert_uint_eq(health.held_ns, 10 * HF_NS_PER_S);
}
END_TEST

START_TEST(a_release_that_waits)
{
    struct scene s;

    set_up(&s, true);
    const struct hf_life_ops *life = hf_supervised_life(s.supervised);
    life->awaits_verdict(life->ctx, true);
    hf_supervised_ready(s.supervised);
    wait_s(&s, 61);
    ck_assert_ptr_null(strchr(heard(&s), 'h'));
    life->awaits_verdict(life->ctx, false); /* committed: at once */
    ck_assert_str_eq(heard(&s), "h");
    life->restart(life->ctx, "swapped");
    ck_assert_str_eq(heard(&s), "R");
    ck_assert_uint_eq(s.stops, 1);
    tear_down(&s);
}
END_TEST

START_TEST(verdict)
{
    struct scene s;
    struct hf_supervisor_note got = {.slot = ""};
    char path[128];

    set_up(&s, true);
    const struct hf_life_ops *life = hf_supervised_life(s.supervised);
    ck_assert(!life->verdict(life->ctx, &got));
    ck_assert_int_eq(mkdir(life->dir, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/verdict", life->dir);
    ck_assert_int_eq(symlink("Hung x/1", path), 0);
    ck_assert(life->verdict(life->ctx, &got));
    ck_assert_str_eq(got.word, "Hung");
    ck_assert_str_eq(got.slot, "x/1");
    (void)unlink(path);
    ck_assert_int_eq(symlink("Hung ../1", path), 0);
    ck_assert(!life->verdict(life->ctx, &got));
    (void)unlink(path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert(!life->verdict(life->ctx, &got));
    (void)rmdir(path);
    (void)unlink(path);
    (void)rmdir(life->dir);
    tear_down(&s);
}
END_TEST

/* The pipe is full, the reader gone: the agent goes on. */
START_TEST(supervisor_does_not_read)
{
    struct scene s;

    set_up(&s, true);
    hf_supervised_ready(s.supervised);
    wait_s(&s, 200000);
    ck_assert_int_eq(write(s.pipe[1], "alive\n", 6), -1);
    ck_assert_int_eq(errno, EAGAIN);
    tear_down(&s);
}
END_TEST

START_TEST(without_a_supervisor)
{
    struct scene s;

    set_up(&s, false);
    hf_supervised_ready(s.supervised);
    wait_s(&s, 100);
    ck_assert(!hf_supervised_is(s.supervised) && hf_supervised_life(s.supervised) == NULL);
    ck_assert_uint_eq(hf_simloop_run_for(s.loop, 100 * HF_NS_PER_S), 0); /* and wakes no processor */
    ck_assert_str_eq(heard(&s), "");
    tear_down(&s);
}
END_TEST

START_TEST(descriptor)
{
    static const char *const bad[] = {"", "1", "2", "-1", "x", "4096", "99999999999999999999"};
    int ends[2];
    char text[16];

    for (size_t i = 0; i < HF_LEN(bad); i++) {
        ck_assert_int_eq(setenv(HF_HOST_FD_VARIABLE, bad[i], 1), 0);
        ck_assert_int_eq(hf_supervised_take_fd(), -1);
        ck_assert_ptr_null(getenv(HF_HOST_FD_VARIABLE));
    }
    ck_assert_int_eq(hf_supervised_take_fd(), -1);
    ck_assert_int_eq(pipe(ends), 0);
    (void)snprintf(text, sizeof(text), "%d", ends[1]);
    ck_assert_int_eq(setenv(HF_HOST_FD_VARIABLE, text, 1), 0);
    ck_assert_int_eq(hf_supervised_take_fd(), ends[1]);
    ck_assert_int_eq(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
    ck_assert_ptr_null(getenv(HF_HOST_FD_VARIABLE));
}
END_TEST

START_TEST(slot)
{
    static const char *const texts[][2] = {{"slots/1-ab", "slots/1-ab"}, {"../1", ""}, {"", ""}};
    struct scene s;

    for (size_t i = 0; i < HF_LEN(texts); i++) {
        ck_assert_int_eq(setenv(HF_HOST_SLOT_VARIABLE, texts[i][0], 1), 0);
        set_up(&s, true);
        ck_assert_str_eq(hf_supervised_life(s.supervised)->slot, texts[i][1]);
        tear_down(&s);
    }
    (void)unsetenv(HF_HOST_SLOT_VARIABLE);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, healthy_after_probation);
    tcase_add_test(tc, each_fact_counts);
    tcase_add_test(tc, a_release_that_waits);
    tcase_add_test(tc, verdict);
    tcase_add_test(tc, supervisor_does_not_read);
    tcase_add_test(tc, without_a_supervisor);
    tcase_add_test(tc, descriptor);
    tcase_add_test(tc, slot);
}
HF_TEST_MAIN("agent/supervised", cases)
