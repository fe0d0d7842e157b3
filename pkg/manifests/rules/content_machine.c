/* SPDX-License-Identifier: Apache-2.0 */
/* The intake is about the source:            The slot is about what it delivered:
 *
 *             Started                                  Delivered            Began
 *   Stopped ----------> Following            Empty -------------> Incoming ------> Storing --.
 *      ^ |                 | ^                 ^ ^      Taken        |               | ^     | Delivered
 * Lifted | Held       Held | | Lifted          | '-------------------'         Ended | |     v
 *      | v    Stopped      v |                 |                                     | | Dropped
 *     Held <----------- Refusing               '-------------------------------------' '-- Newer
 *          ----------->
 *             Started */
#include "manifests/rules/content_machine.h"

#include <assert.h>
#include <stdio.h>

static const uint64_t incoming_pause_ns = 2 * HF_NS_PER_S;

/* ---- the tables -------------------------------------------------------------------------------------------------- */

#define ON(event_, next_) [HF_CONTENT_EV_##event_] = 1 + HF_CONTENT_##next_

/* 1 + the next state; 0 is an unexpected event. */
static const unsigned char intake_table[HF_CONTENT_INTAKE_COUNT][HF_CONTENT_EV_COUNT] = {
    [HF_CONTENT_STOPPED] = {ON(STARTED, FOLLOWING), ON(STOPPED, STOPPED), ON(HELD, HELD), ON(LIFTED, STOPPED)},
    [HF_CONTENT_FOLLOWING] = {ON(STOPPED, STOPPED), ON(HELD, REFUSING), ON(LIFTED, FOLLOWING)},
    [HF_CONTENT_REFUSING] = {ON(STOPPED, HELD), ON(HELD, REFUSING), ON(LIFTED, FOLLOWING)},
    [HF_CONTENT_HELD] = {ON(STARTED, REFUSING), ON(STOPPED, HELD), ON(HELD, HELD), ON(LIFTED, STOPPED)},
};

static const unsigned char slot_table[HF_CONTENT_SLOT_COUNT][HF_CONTENT_EV_COUNT] = {
    [HF_CONTENT_EMPTY] = {ON(DELIVERED, INCOMING), ON(DROPPED, EMPTY)},
    [HF_CONTENT_INCOMING] = {ON(DELIVERED, INCOMING), ON(DROPPED, EMPTY), ON(TAKEN, EMPTY), ON(BEGAN, STORING)},
    [HF_CONTENT_STORING] = {ON(DELIVERED, NEWER), ON(DROPPED, STORING), ON(ENDED, EMPTY)},
    [HF_CONTENT_NEWER] = {ON(DELIVERED, NEWER), ON(DROPPED, STORING), ON(ENDED, INCOMING)},
};

static unsigned move(const unsigned char row[HF_CONTENT_EV_COUNT], unsigned state, enum hf_content_event event,
                     bool *ret_known)
{
    unsigned next = event < HF_CONTENT_EV_COUNT ? row[event] : 0;

    *ret_known = next > 0;
    return next > 0 ? next - 1 : state;
}

enum hf_content_intake hf_content_machine_intake(enum hf_content_intake state, enum hf_content_event event,
                                                 bool *ret_known)
{
    assert(state < HF_CONTENT_INTAKE_COUNT);
    return (enum hf_content_intake)move(intake_table[state], state, event, ret_known);
}

enum hf_content_slot hf_content_machine_slot(enum hf_content_slot state, enum hf_content_event event, bool *ret_known)
{
    assert(state < HF_CONTENT_SLOT_COUNT);
    return (enum hf_content_slot)move(slot_table[state], state, event, ret_known);
}

/* ---- holds ------------------------------------------------------------------------------------------------------- */

static struct hf_content_hold hold_until(const struct hf_content_hold *old, enum hf_manifest_reason reason,
                                         uint64_t until_ns)
{
    return (struct hf_content_hold){.reason = reason, .until_ns = until_ns, .bytes = old->bytes, .times = old->times};
}

/* An archive would be downloaded again: later each time. A smaller one is rare. */
static uint64_t too_large_pause(const struct hf_content_offer *offer, const struct hf_content_room *room,
                                unsigned times)
{
    return HF_MAX(room->interval_ns, HF_CONTENT_PACE_FIRST_GAP_NS) << (offer->downloads ? HF_MIN(times, 6U) : 0);
}

bool hf_content_machine_turns_away(const struct hf_content_offer *offer, const struct hf_content_room *room,
                                   struct hf_content_pace *pace, struct hf_content_hold *hold, char *text, size_t size)
{
    uint64_t now = room->now_ns, wait = hf_content_pace_wait_ns(pace, now);

    assert(room->in_memory <= room->everywhere);
    if (!offer->secret && room->no_space) {
        *hold = hold_until(hold, HF_MANIFEST_REASON_NO_SPACE, 0);
        (void)snprintf(text, size, "the disk of the agent's state is critically full");
    } else if (!offer->secret && room->writes_used_up) {
        *hold = hold_until(hold, HF_MANIFEST_REASON_CONTENT_PACED, 0);
        (void)snprintf(text, size, "the agent may write no more today (spec.disk.writeBudget)");
    } else if (wait > 0 && !offer->comes_again) {
        *hold = hold_until(hold, HF_MANIFEST_REASON_CONTENT_PACED, now + wait);
        (void)snprintf(text, size,
                       "the content changes too often: the node takes up the newest one at most once in %u min",
                       (unsigned)(pace->gap_ns / (60 * HF_NS_PER_S)));
    } else if (!offer->has_turn && room->in_memory + offer->bytes > HF_CONTENT_MAX_INCOMING_BYTES) {
        *hold = hold_until(hold, HF_MANIFEST_REASON_CONTENT_PACED, now + incoming_pause_ns);
        (void)snprintf(text, size, "the contents of other entries come first");
    } else if (!offer->secret && room->everywhere + offer->bytes > HF_CONTENT_MAX_BYTES) {
        *hold = hold_until(hold, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, now + too_large_pause(offer, room, hold->times));
        hold->bytes = offer->bytes;
        hold->times++;
        (void)snprintf(text, size,
                       "with this content of %zu KiB, all entries of the policy together have more than %d MiB",
                       (size_t)offer->bytes / 1024, HF_CONTENT_MAX_BYTES >> 20);
    } else {
        *hold = (struct hf_content_hold){.reason = HF_MANIFEST_REASON_NONE, .bytes = hold->bytes};
        return false;
    }
    return true;
}

bool hf_content_machine_holds(const struct hf_content_hold *hold, const struct hf_content_room *room)
{
    if (hold->reason == HF_MANIFEST_REASON_NONE ||
        (hold->reason == HF_MANIFEST_REASON_SOURCE_TOO_LARGE && room->everywhere + hold->bytes <= HF_CONTENT_MAX_BYTES))
        return false;
    if (hold->until_ns > 0)
        return hold->until_ns > room->now_ns;
    return hold->reason == HF_MANIFEST_REASON_NO_SPACE ? room->no_space : room->writes_used_up;
}

enum hf_content_step hf_content_machine_turn(enum hf_content_intake state, bool holds, bool asked)
{
    if (!hf_content_machine_has_hold(state))
        return HF_CONTENT_STAY;
    if (!holds)
        return HF_CONTENT_LIFT;
    return state == HF_CONTENT_REFUSING && !asked ? HF_CONTENT_STOP : HF_CONTENT_STAY;
}

enum hf_content_step hf_content_machine_follow(enum hf_content_intake state, bool holds, bool asked)
{
    if (state == HF_CONTENT_STOPPED || (state == HF_CONTENT_HELD && (asked || !holds)))
        return HF_CONTENT_START;
    return HF_CONTENT_STAY;
}

/* ---- contents that the disk does not read ------------------------------------------------------------------------ */

bool hf_content_machine_count_read(struct hf_content_reads *reads, bool failed)
{
    if (!failed) {
        *reads = (struct hf_content_reads){.failed = 0};
        return false;
    }
    if (++reads->failed <= (unsigned)HF_CONTENT_MAX_UNREADABLE << HF_MIN(reads->copies, 5U))
        return false;
    reads->failed = 0;
    reads->copies++;
    return true;
}
