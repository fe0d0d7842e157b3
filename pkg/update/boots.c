/* SPDX-License-Identifier: Apache-2.0 */
/* Releases that need a reboot (install.reboot): the node reboots once after the swap, and once more after a rollback if
 * the new version had been booted.
 *
 * The journal names the boot in which the content at the path last changed (j.boots.changed). While that boot lasts,
 * the reboot is due; in any other one it has happened, whoever caused it. So neither a power cut nor a restart of the
 * agent makes the node reboot twice for one swap. The new version is judged after the boot only: until then no start of
 * the agent counts against it. The window and the site's hold postpone the reboot after the swap, and not the one of a
 * rollback, whose service is broken.
 *
 * Also here: what a start of the agent knows about its boot, and the verdict of a boot about a release that was
 * committed before (probation.c judges it). */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/format.h"
#include "base/parse.h"
#include "os/file.h"
#include "update/release.h"

static const uint64_t command_timeout_ns = 60 * HF_NS_PER_S, look_again_ns = 60 * HF_NS_PER_S,
                      other_again_ns = 5 * HF_NS_PER_S, in_time_ns = 600 * HF_NS_PER_S;

#define WATCHDOG "/sys/class/watchdog/watchdog0/bootstatus"
enum { WATCHDOG_RESET = 0x20 }; /* WDIOF_CARDRESET of linux/watchdog.h */

void boots_read(struct hf_update_engine *engine)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64);
    struct hf_view seen = {"", 0};
    char number[16];
    uint64_t status = 0;

    hf_file_boot_id(engine->p.world.fs, engine->boot);
    if (hf_file_read(engine->p.world.fs, WATCHDOG, &text, NULL) == 0)
        seen = hf_view_trim(hf_buf_view(&text));
    (void)snprintf(number, sizeof(number), "%.*s", (int)HF_MIN(seen.n, sizeof(number) - 1), seen.n > 0 ? seen.p : "");
    engine->watchdog = hf_parse_u64(number, 0, UINT32_MAX, &status) == 0 && (status & WATCHDOG_RESET) != 0;
}

/* The id is read again if it could not be read at the start. Where it never can, this process knows that it goes on. */
static const char *this_boot(const struct release *release)
{
    struct hf_update_engine *engine = release->engine;

    if (engine->boot[0] == '\0')
        hf_file_boot_id(engine->p.world.fs, engine->boot);
    return engine->boot[0] != '\0' ? engine->boot : "unknown";
}

bool boots_pending(const struct release *release)
{
    return release->j.boots.changed[0] != '\0' && strcmp(release->j.boots.changed, this_boot(release)) == 0;
}

void boots_note(struct release *release)
{
    const struct hf_edgeupdate *accepted = release->wanted.accepted;
    bool reboots = accepted != NULL && accepted->release.install.reboots;
    struct hf_journal *j = &release->j;

    memset(j->boots.changed, 0, sizeof(j->boots.changed));
    if (reboots)
        (void)snprintf(j->boots.changed, sizeof(j->boots.changed), "%s", this_boot(release));
    release->attempt.reboots = 0;
}

static uint64_t now_ns(const struct release *release)
{
    return hf_mono_ns(release->engine->p.world.clock);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static void start_command(struct release *release, void (*done)(void *arg, int r, const struct hf_failure *failure))
{
    const struct hf_install *install = &release->wanted.accepted->release.install;
    struct hf_command_params params = {.proc = release->engine->p.proc,
                                       .what = "reboot by",
                                       .argv = install->reboot_command,
                                       .timeout_ns = command_timeout_ns,
                                       .reason = HF_R_RebootFailed,
                                       .done = done,
                                       .arg = release};
    struct hf_failure failure = {.reason = HF_R_RebootFailed};

    /* What is on the disk names this boot, so no cut makes the node reboot twice for one change. */
    assert(install->reboots && release->j.boots.changed[0] != '\0' && release->attempt.reboots == 0);
    hf_log(release->engine->p.world.log, HF_LOG_WARNING, "update.reboot", HF_S("release", release->j.name),
           HF_S("command", install->reboot_command[0]));
    step_begin(release, STEP_HOOK);
    int r = hf_command_start(&params, &release->step.hook, &failure);
    if (r < 0)
        done(release, r, &failure);
}

static void command_ended(struct release *release)
{
    release->step.hook = NULL;
    step_end(release);
}

/* ---- after the swap ---------------------------------------------------------------------------------------------- */

static void wait(struct release *release, enum hf_reason reason, const char *message, uint64_t wait_ns)
{
    release->retry.due_ns = now_ns(release) + wait_ns;
    transition_event(release, HF_EV_DELAYED, reason, message);
}

static void commanded(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;

    command_ended(release);
    if (r == 0) {
        release->attempt.reboots++;
        wait(release, HF_R_RebootPending, "the node reboots now", in_time_ns);
        return;
    }
    retry_back_off(release, HF_R_RebootFailed, look_again_ns);
    transition_failure(release, HF_EV_DELAYED, failure);
}

/* The text stays while the release waits, so that the status does not change with every look. */
static bool must_wait(struct release *release)
{
    const struct hf_update_engine *engine = release->engine;
    const struct hf_install *install = &release->wanted.accepted->release.install;
    struct hf_time_range range = hf_clock_range(engine->p.world.clock);
    const char *message = NULL;
    uint64_t wait_ns = look_again_ns, until_ns;

    if (wanted_held(release)) {
        message = "the node reboots when the site's hold ends";
    } else if (hf_windows_judge(&install->reboot_window, install->reboot_window.duration_ns > 0, &range, &until_ns) !=
               HF_TIME_YES) {
        message = "the node reboots when the window of install.reboot opens";
        wait_ns = HF_MIN(until_ns, look_again_ns);
    } else if (release->wanted.turn_missing) {
        message = "the node reboots when it has its turn";
    } else if (engine->core.active != NULL && !update_engine_has_turn(release)) {
        message = "the node reboots when another release has ended";
        wait_ns = other_again_ns;
    }
    if (message == NULL)
        return false;
    hf_steer_core_leave_turn(&release->engine->core, &release->machine);
    wait(release, HF_R_RebootPending, message, HF_MAX(wait_ns, HF_NS_PER_S));
    return true;
}

static void booted(struct release *release)
{
    struct hf_journal *j = &release->j;

    assert(j->phase == HF_PHASE_PROBATION && j->probed);
    j->boots.happened = true;
    j->starts = 0;
    memset(j->boots.changed, 0, sizeof(j->boots.changed));
    transition_event(release, HF_EV_BOOTED, HF_R_HealthPending, NULL);
}

bool boots_go_first(struct release *release)
{
    char limit[HF_DURATION_TEXT], text[120];

    if (release->j.boots.changed[0] == '\0')
        return false;
    if (!boots_pending(release)) {
        booted(release);
    } else if (release->attempt.reboots > 0) {
        release->attempt.reboots = 0;
        retry_back_off(release, HF_R_RebootFailed, look_again_ns);
        (void)snprintf(text, sizeof(text), "the node has not rebooted within %s of the command",
                       hf_format_duration(in_time_ns, limit));
        transition_event(release, HF_EV_DELAYED, HF_R_RebootFailed, text);
    } else if (!must_wait(release)) {
        release->engine->core.active = &release->machine;
        start_command(release, commanded);
    }
    return true;
}

/* ---- after a rollback -------------------------------------------------------------------------------------------- */

static void commanded_back(void *arg, int r, const struct hf_failure *failure)
{
    struct release *release = arg;

    command_ended(release);
    release->attempt.reboots++;
    if (r < 0)
        hf_log_err(release->engine->p.world.log, HF_LOG_ERROR, "update.reboot", "release", release->j.name,
                   &failure->err);
    release->retry.due_ns = now_ns(release) + (r == 0 ? in_time_ns : 0);
    transition_event(release, HF_EV_FAILED, HF_R_None, NULL); /* the end of the wait comes back to boots_go_back() */
}

enum boots_back boots_go_back(struct release *release)
{
    struct hf_journal *j = &release->j;

    assert(j->phase == HF_PHASE_ROLLING_BACK);
    if (!j->boots.happened)
        return BOOTS_DONE;
    if (j->boots.changed[0] == '\0') { /* durable before the command; then the rollback comes here again */
        boots_note(release);
        transition_event(release, HF_EV_GO, HF_R_None, NULL);
        return BOOTS_WAIT;
    }
    if (!boots_pending(release))
        return BOOTS_DONE;
    if (release->attempt.reboots > 0)
        return BOOTS_NEVER;
    start_command(release, commanded_back);
    return BOOTS_WAIT;
}

/* ---- verdicts about the committed release ------------------------------------------------------------------------ */

/* This boot has its verdict: the next one is judged against it. */
static void judged(struct release *release)
{
    struct hf_journal_boots *boots = &release->j.boots;

    memcpy(boots->judged, release->engine->boot, sizeof(boots->judged));
    boots->watchdog = release->engine->watchdog;
}

void boots_passed(struct release *release)
{
    assert(release->j.boots.left > 0 && release->j.boots.verdict == HF_BOOTS_FINE);
    release->j.boots.left--;
    judged(release);
    transition_message(release);
}

void boots_failed(struct release *release, const char *why)
{
    struct hf_journal_boots *boots = &release->j.boots;

    assert(boots->verdict == HF_BOOTS_FINE && boots->left > 0 && release->j.good_digest[0] != '\0');
    boots->verdict = HF_BOOTS_BAD;
    boots->left = 0;
    judged(release);
    (void)snprintf(boots->why, sizeof(boots->why), "%s", why);
    hf_log(release->engine->p.world.log, HF_LOG_ERROR, "update.boot", HF_S("release", release->j.name),
           HF_S("version", release->j.good_version), HF_S("message", why));
    transition_tell(release, HF_R_BootFailed, why);
}

void boots_stay(struct release *release, const char *because)
{
    struct hf_journal_boots *boots = &release->j.boots;
    char text[HF_UPDATE_MAX_MESSAGE];

    assert(boots->verdict == HF_BOOTS_BAD && boots->left == 0); /* only what was to be left can stay */
    boots->verdict = HF_BOOTS_STAYS;
    (void)snprintf(text, sizeof(text), "%.130s; it stays: %s", boots->why, HF_CUT(100, because));
    (void)snprintf(boots->why, sizeof(boots->why), "%s", text);
    hf_log(release->engine->p.world.log, HF_LOG_ERROR, "update.boot", HF_S("release", release->j.name),
           HF_S("version", release->j.good_version), HF_S("message", text));
    transition_tell(release, HF_R_BootFailed, text);
}
