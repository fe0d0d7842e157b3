/* SPDX-License-Identifier: Apache-2.0 */
/* Lets one source at a time have a large content in memory (up to HF_BUNDLE_MAX_BYTES): a source asks for a turn before
 * it reads an archive or folder; a folder that hangs loses it. The bundle has the turn (hf_bundle.turn) until the
 * engine has written it, dropped it or put it off. Turns come in order. struct hf_source_turns lives while a turn
 * does. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/sched.h"

struct hf_source_turns;
struct hf_source_turn;

/* Borrows `sched`. */
struct hf_source_turns *hf_source_turns_new(const struct hf_sched_ops *sched);
/* Called when no source waits; one may still have its turn. */
void hf_source_turns_free(struct hf_source_turns *turns);

/* Asks for a turn, which calls `begin` from the event loop. If `turns` is NULL, calls `begin` before the return;
 * *ret_turn is NULL. */
HF_MUST_USE int hf_source_turn_ask(struct hf_source_turns *turns, void (*begin)(void *arg), void *arg,
                                   struct hf_source_turn **ret_turn);
bool hf_source_turn_has_come(const struct hf_source_turn *turn);
void hf_source_turn_free(struct hf_source_turn *turn);
