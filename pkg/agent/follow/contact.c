/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/follow/contact.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "agent/diskq.h"
#include "agent/turn.h"

/* The last contact in the clock file may be this old: a part of the policy's window, but never less than the second
 * value. After a power cut the node believes that it was away that much longer, which is the safe side. */
enum { SAVE_PART_OF_WINDOW = 24 };
#define SAVE_AT_LEAST_NS (10 * 60 * HF_NS_PER_S)

/* A first contact goes to the file if the one there is older than this. */
#define SAVE_FIRST_NS (60 * HF_NS_PER_S)

/* An HTTP Date is exact to half a second; with smaller steps each answer would change the status. */
#define OFFSET_STEP_NS ((int64_t)(5 * HF_NS_PER_S))

void hf_contact_init(struct hf_contact *contact, const struct hf_agent_env *env)
{
    const struct hf_home *home = env->params->home;
    bool same_boot = hf_home_is_same_boot(home);
    const struct hf_stale_kept kept = {.contact_unix_ns = home->kept.contact_unix_ns,
                                       .age_ns = home->kept.contact_age_ns,
                                       .limit_ns = home->kept.contact_limit_ns,
                                       .contact_mono_ns = same_boot ? home->kept.contact_mono_ns : 0,
                                       .saved_mono_ns = same_boot ? home->kept.saved_mono_ns : 0,
                                       .boot_unknown = !same_boot && !hf_home_is_other_boot(home)};

    *contact = (struct hf_contact){.env = env, .saved = kept};
    hf_stale_init(&contact->stale, &kept, hf_now_read(env->world.clock));
}

void hf_contact_confirm(struct hf_contact *contact)
{
    const struct hf_source_ops *source = contact->env->params->source;

    hf_stale_heard(&contact->stale, source->heard_ns(source->ctx), hf_now_read(contact->env->world.clock));
}

static uint64_t oldest(const struct hf_contact *contact)
{
    return HF_MAX(contact->window_ns / SAVE_PART_OF_WINDOW, SAVE_AT_LEAST_NS);
}

void hf_contact_found(struct hf_contact *contact)
{
    const struct hf_agent_env *env = contact->env;
    struct hf_now now = hf_now_read(env->world.clock);
    bool first = !contact->stale.this_life;

    hf_stale_contact(&contact->stale, now);
    contact->loss_logged = false;
    contact->reason = HF_CONTACT_REASON_NONE;
    contact->reason_text[0] = '\0';
    contact->folder_failure[0] = '\0';
    hf_log(env->world.log, HF_LOG_INFO, "contact.found", HF_S("node", env->params->node_name));
    if (hf_stale_is_limit_high(&contact->saved, oldest(contact)) ||
        (first && HF_DISTANCE(now.unix_ns, contact->saved.contact_unix_ns) > SAVE_FIRST_NS))
        hf_contact_save(contact);
}

void hf_contact_lost(struct hf_contact *contact, const struct hf_err *err)
{
    const struct hf_agent_env *env = contact->env;
    struct hf_err unknown = HF_ERR_INIT;

    if (err == NULL) {
        (void)hf_err_set(&unknown, EHOSTUNREACH, "the source is out of reach");
        err = &unknown;
    }
    hf_contact_confirm(contact);
    hf_stale_lost(&contact->stale);
    hf_log_err(env->world.log, HF_LOG_WARNING, "contact.lost", "node", env->params->node_name, err);
    contact->loss_logged = true;
    if (!env->params->source_echoes) /* the status goes to a folder of its own, so it can still say this */
        (void)hf_err_text(err, contact->folder_failure, sizeof(contact->folder_failure));
}

bool hf_contact_failed(struct hf_contact *contact, const struct hf_err *err)
{
    enum hf_contact_reason before = contact->reason;
    char text[sizeof(contact->reason_text) / 2];

    if (!contact->env->params->source_echoes)
        return false; /* a folder has a reason of its own */
    contact->reason = hf_contact_reason_of(err);
    if (contact->reason == before)
        return false; /* the details of each attempt are in the log; the status stays as it is */
    (void)snprintf(contact->reason_text, sizeof(contact->reason_text), "%s: %s",
                   hf_contact_reason_remedy(contact->reason), hf_err_text(err, text, sizeof(text)));
    return contact->staleness != HF_STALE_FRESH;
}

enum hf_contact_reason hf_contact_reported_reason(const struct hf_contact *contact)
{
    return contact->staleness == HF_STALE_FRESH ? HF_CONTACT_REASON_NONE : contact->reason;
}

void hf_contact_measure(struct hf_contact *contact, struct hf_server_date date)
{
    const struct hf_agent_env *env = contact->env;

    hf_clock_skew_measure(&contact->skew, date.unix_ns, hf_mono_ns(env->world.clock), date.round_trip_ns);
    hf_clock_take_date(&env->params->home->clock, date.unix_ns, date.round_trip_ns);
    hf_turn_wake(env->turn, HF_DUE_PLAN); /* a release may wait for this evidence of the time */
}

bool hf_contact_judge(struct hf_contact *contact, uint64_t window_ns, struct hf_now now, uint64_t *ret_wait_ns)
{
    enum hf_staleness staleness = hf_stale_judge(&contact->stale, window_ns, now, ret_wait_ns);

    contact->window_ns = window_ns;
    *ret_wait_ns = HF_MIN(*ret_wait_ns, hf_stale_save_wait_ns(&contact->stale, window_ns, now, &contact->saved));
    if (staleness == contact->staleness)
        return false;
    hf_log(contact->env->world.log, staleness == HF_STALE_FRESH ? HF_LOG_INFO : HF_LOG_WARNING, "contact.changed",
           HF_S("from", hf_staleness_name(contact->staleness)), HF_S("to", hf_staleness_name(staleness)));
    contact->staleness = staleness;
    return true;
}

int64_t hf_contact_wall_offset_ns(const struct hf_contact *contact)
{
    const struct hf_clock_ops *wall = contact->env->params->home->clock.wall;

    return hf_clock_skew_offset_ns(&contact->skew, hf_mono_ns(wall), hf_unix_ns(wall));
}

/* Judges the wall clock. Reported times are in the server's time even while our clock differs from it. */
bool hf_contact_judge_clock(struct hf_contact *contact, uint64_t max_skew_ns, struct hf_now now)
{
    struct hf_clock_skew *skew = &contact->skew;
    bool before = skew->exceeded, changed = false;
    int64_t offset = hf_clock_skew_offset_ns(skew, now.mono_ns, now.unix_ns);
    int64_t moved = offset - contact->report_offset_ns;
    uint64_t wall = hf_unix_ns(contact->env->params->home->clock.wall);

    if (moved > OFFSET_STEP_NS || moved < -OFFSET_STEP_NS) {
        contact->report_offset_ns = offset;
        changed = true;
    }
    if (hf_clock_skew_judge(skew, now.mono_ns, wall, max_skew_ns) == before)
        return changed;
    hf_log(contact->env->world.log, skew->exceeded ? HF_LOG_WARNING : HF_LOG_INFO,
           skew->exceeded ? "clock.skewed" : "clock.agrees",
           HF_D("offsetMilliseconds", hf_contact_wall_offset_ns(contact) / (int64_t)HF_NS_PER_MS));
    return true;
}

/* ---- the clock file ---------------------------------------------------------------------------------------------- */

void hf_contact_save(struct hf_contact *contact)
{
    const struct hf_agent_env *env = contact->env;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    struct hf_stale_kept kept;
    struct hf_hold_kept hold;
    char path[PATH_MAX];

    hf_hold_age_keep(&env->params->home->hold, hf_mono_ns(env->world.clock), &hold);
    hf_stale_keep(&contact->stale, contact->window_ns, hf_now_read(env->world.clock), &kept);
    struct hf_clock_file file = {.contact_unix_ns = kept.contact_unix_ns,
                                 .contact_age_ns = kept.age_ns,
                                 .contact_limit_ns = kept.limit_ns,
                                 .contact_mono_ns = kept.contact_mono_ns,
                                 .saved_mono_ns = kept.saved_mono_ns,
                                 .hold_id = hold.id,
                                 .hold_age_ns = hold.age_ns,
                                 .hold_began_unix_ns = hold.began_unix_ns};
    (void)snprintf(file.boot, sizeof(file.boot), "%s", env->params->home->boot);
    hf_clock_keep(&env->params->home->clock, &file);
    if (hf_clock_file_format(&file, &text) < 0)
        return;
    hf_diskq_write(env->diskq, hf_home_path(env->params->home, "clock", path), hf_buf_view(&text));
    contact->saved = kept;
}

void hf_contact_save_if_old(struct hf_contact *contact)
{
    const struct hf_stale *stale = &contact->stale;
    struct hf_now now = hf_now_read(contact->env->world.clock);
    bool is_old = stale->connected && now.mono_ns >= contact->save_old_ns &&
                  HF_DISTANCE(stale->contact_unix_ns, contact->saved.contact_unix_ns) > oldest(contact);

    if (is_old)
        contact->save_old_ns = now.mono_ns + SAVE_AT_LEAST_NS;
    if (is_old || hf_stale_save_wait_ns(&contact->stale, contact->window_ns, now, &contact->saved) == 0 ||
        contact->env->params->home->clock.bound_rose || contact->env->params->home->hold.unsaved)
        hf_contact_save(contact);
}

/* ---- reported times ---------------------------------------------------------------------------------------------- */

uint64_t hf_contact_reported(const struct hf_contact *contact, uint64_t unix_ns)
{
    return unix_ns == 0 ? 0 : unix_ns + (uint64_t)contact->report_offset_ns;
}

uint64_t hf_contact_reported_past(const struct hf_contact *contact, uint64_t unix_ns)
{
    uint64_t now = hf_contact_reported(contact, hf_unix_ns(contact->env->world.clock));

    return unix_ns <= now ? unix_ns : hf_contact_reported(contact, unix_ns);
}
