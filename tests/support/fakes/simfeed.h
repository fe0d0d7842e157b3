/* SPDX-License-Identifier: Apache-2.0 */
/* support/simfeed.h - the telemetry of a simulated node: a device that offers numbered events until each is
 * acknowledged, the agent's queues for two sinks on the node's disk, and the two sinks, which fail, stall and lose
 * answers.
 *
 *     struct hf_simfeed *feed = hf_simfeed_new(loop, net);
 *     hf_simfeed_begin(feed, node);                       the agent has started: the device sends
 *     hf_simfeed_end(feed);                               before hf_simnode_end()
 *
 * Promises that the feed checks, whatever happens to the node:
 *   - a sink gets an event under one key only, and the same bytes under one key
 *   - each acknowledged event reaches both sinks in the end, and each other event at most once. Exception: an event
 *     that nobody acknowledged may come again after a restart if a full disk has cost the segment that had it
 * Both sinks ignore a key that they have taken already, as a receiver that honours Idempotency-Key does. */
#pragma once

#include "support/fakes/simnode.h"

#define HF_SIMFEED_DIR "/var/edge/data"

struct hf_simfeed;

struct hf_simfeed *hf_simfeed_new(struct hf_simloop *loop, struct hf_simnet *net);
void hf_simfeed_free(struct hf_simfeed *feed); /* after hf_simfeed_end() */

void hf_simfeed_begin(struct hf_simfeed *feed, struct hf_simnode *node); /* the node is alive */
void hf_simfeed_end(struct hf_simfeed *feed);                            /* does nothing between two lives */

/* The disk has no room now, or will have none soon. */
void hf_simfeed_note_full_disk(struct hf_simfeed *feed);

/* The sinks behave badly for some of the next requests, or well from now on. */
void hf_simfeed_disturb(struct hf_simfeed *feed);
void hf_simfeed_heal(struct hf_simfeed *feed);
/* The device offers no new event. */
void hf_simfeed_stop(struct hf_simfeed *feed);

/* Returns the first violation of these promises, or NULL. */
const char *hf_simfeed_fault(const struct hf_simfeed *feed);
/* Every event is acknowledged, and each sink has it. */
bool hf_simfeed_is_drained(const struct hf_simfeed *feed);
/* Names the events that are not acknowledged, or that a sink lacks. */
void hf_simfeed_describe(const struct hf_simfeed *feed, char *text, size_t n);
/* Number of events so far, and how many of them are acknowledged. */
unsigned hf_simfeed_events(const struct hf_simfeed *feed, unsigned *ret_acknowledged);
