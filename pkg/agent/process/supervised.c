/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/supervised.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

#define PERIOD_NS (HF_HOST_ALIVE_S * HF_NS_PER_S)

struct hf_supervised {
    struct hf_supervised_params params;
    struct hf_life_ops life;
    char dir[PATH_MAX], slot[HF_HOST_SLOT];
    int fd; /* -1: none */
    struct hf_timer *timer;
    struct hf_supervised_health health;
    bool awaits_verdict;
    bool told; /* that it is healthy; for the log */
};

int hf_supervised_take_fd(void)
{
    const char *text = getenv(HF_HOST_FD_VARIABLE);
    uint64_t fd = 0;

    if (text == NULL || hf_parse_u64(text, STDERR_FILENO + 1, INT_MAX, &fd) < 0 ||
        fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl((int)fd, F_SETFL, O_WRONLY | O_NONBLOCK) < 0)
        fd = 0;
    (void)unsetenv(HF_HOST_FD_VARIABLE);
    return fd == 0 ? -1 : (int)fd;
}

/* A full pipe means that the supervisor does not read: the next line says all that this one does. */
static void say(const struct hf_supervised *s, const char *line)
{
    if (s->fd >= 0)
        (void)!write(s->fd, line, strlen(line));
}

void hf_supervised_judge(struct hf_supervised_health *health, const struct hf_supervised_facts *facts, uint64_t now_ns)
{
    bool holds = facts->has_state && facts->has_turned;

    if (!holds || !health->holds)
        health->held_ns = 0;
    else
        health->held_ns += HF_MIN(now_ns - health->last_ns, 2 * PERIOD_NS);
    health->holds = holds;
    health->last_ns = now_ns;
}

static void tell(struct hf_supervised *s)
{
    const struct hf_supervised_facts facts = s->params.look(s->params.arg);

    hf_supervised_judge(&s->health, &facts, hf_mono_ns(s->params.world.clock));
    bool healthy = s->health.holds && s->health.held_ns >= s->params.probation_ns && !s->awaits_verdict;
    say(s, healthy ? HF_HOST_SAYS_HEALTHY : HF_HOST_SAYS_ALIVE);
    if (healthy && !s->told)
        hf_log(s->params.world.log, HF_LOG_INFO, "agent.healthy", HF_D("forSeconds", s->health.held_ns / HF_NS_PER_S));
    s->told = healthy;
}

static void on_timer(void *arg)
{
    struct hf_supervised *s = arg;

    tell(s);
    uint64_t rest_ns = s->params.probation_ns - HF_MIN(s->health.held_ns, s->params.probation_ns);
    uint64_t wait_ns = s->health.holds && rest_ns > 0 ? HF_MIN(rest_ns, PERIOD_NS) : PERIOD_NS;
    hf_timer_arm(s->params.world.sched, s->timer, HF_MAX(wait_ns, 100 * HF_NS_PER_MS));
}

void hf_supervised_alive(struct hf_supervised *s)
{
    if (s != NULL)
        say(s, HF_HOST_SAYS_ALIVE);
}

void hf_supervised_ready(struct hf_supervised *s)
{
    if (s->fd < 0)
        return;
    say(s, HF_HOST_SAYS_READY);
    on_timer(s);
}

bool hf_supervised_is(const struct hf_supervised *s)
{
    return s != NULL && s->fd >= 0;
}

/* ---- for the parts of the agent ---------------------------------------------------------------------------------- */

static bool life_healthy(void *ctx, uint64_t *ret_for_ns)
{
    const struct hf_supervised *s = ctx;

    if (s->health.holds)
        *ret_for_ns = s->health.held_ns;
    return s->health.holds;
}

static void life_awaits_verdict(void *ctx, bool waits)
{
    struct hf_supervised *s = ctx;
    bool ended = s->awaits_verdict && !waits;

    s->awaits_verdict = waits;
    if (ended && s->health.last_ns != 0)
        tell(s);
}

static void life_restart(void *ctx, const char *why)
{
    struct hf_supervised *s = ctx;

    say(s, HF_HOST_SAYS_RESTART);
    s->params.stop(s->params.arg, why);
}

static bool life_verdict(void *ctx, struct hf_supervisor_note *ret_verdict)
{
    const struct hf_supervised *s = ctx;
    const struct hf_fs_ops *fs = s->params.world.fs;
    char path[PATH_MAX + 16], text[HF_HOST_NOTE];

    (void)snprintf(path, sizeof(path), "%s/" HF_HOST_VERDICT, s->dir);
    ssize_t n = fs->readlinkat(fs->ctx, AT_FDCWD, path, text, sizeof(text) - 1);
    text[HF_MAX(n, 0)] = '\0';
    return hf_supervisor_note_parse(text, ret_verdict);
}

const struct hf_life_ops *hf_supervised_life(const struct hf_supervised *s)
{
    return hf_supervised_is(s) ? &s->life : NULL;
}

struct hf_supervised *hf_supervised_new(const struct hf_supervised_params *params, int fd)
{
    struct hf_supervised *s = calloc(1, sizeof(*s));
    const char *slot = getenv(HF_HOST_SLOT_VARIABLE);

    if (s == NULL)
        return NULL;
    s->params = *params;
    s->fd = fd;
    s->timer = hf_timer_new(params->world.sched, on_timer, s);
    if (s->timer == NULL) {
        free(s);
        return NULL;
    }
    (void)snprintf(s->dir, sizeof(s->dir), "%s/" HF_HOST_DIR, params->state_dir);
    (void)snprintf(s->slot, sizeof(s->slot), "%s", slot != NULL && hf_supervisor_slot_is_valid(slot) ? slot : "");
    s->life = (struct hf_life_ops){.ctx = s,
                                   .dir = s->dir,
                                   .slot = s->slot,
                                   .probation_ns = params->probation_ns,
                                   .healthy = life_healthy,
                                   .awaits_verdict = life_awaits_verdict,
                                   .restart = life_restart,
                                   .verdict = life_verdict};
    return s;
}

void hf_supervised_free(struct hf_supervised *s)
{
    if (s == NULL)
        return;
    hf_timer_free(s->params.world.sched, s->timer);
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s);
}
