/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the command for the body of POST /page/act. Pure.
 *
 *     {"act": "Hold", "reason": "line 3 is running", "for": "8h", "confirmed": true}
 *
 * The agent runs that command, except for Retry, where it does what it does at SIGHUP. Without "confirmed", it only
 * answers with the command. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum hf_page_act_kind {
    HF_PAGE_HOLD,
    HF_PAGE_RELEASE,
    HF_PAGE_RETRY,
    HF_PAGE_ROLL_BACK,
    HF_PAGE_UNDO,
    HF_PAGE_VERIFY,
    HF_PAGE_SUPPORT,
    HF_PAGE_ACTS
};
const char *hf_page_act_name(enum hf_page_act_kind kind);

enum { HF_PAGE_ACT_MAX_BYTES = 1024, HF_PAGE_ACT_WORDS = 10, HF_PAGE_ACT_WORD = 512, HF_PAGE_ACT_COMMAND = 4096 };

struct hf_page_act {
    enum hf_page_act_kind kind;
    bool confirmed;
    unsigned n; /* number of words; 0 for Retry */
    char words[HF_PAGE_ACT_WORDS][HF_PAGE_ACT_WORD];
};

/* -EBADMSG (*err is for people): such as no act, unknown or too long fields, control characters. */
HF_MUST_USE int hf_page_act_parse(struct hf_view body, const char *state_dir, const char *run_dir,
                                  struct hf_page_act *ret_act, struct hf_err *err);
/* Writes the act as a line for a shell on the node, cut at `n` bytes. */
const char *hf_page_act_command(const struct hf_page_act *act, char *text, size_t n);

/* After HF_PAGE_GUESSES wrong tokens in a minute, a peer (os/socket/peer.h) is refused until that minute ends. */
enum { HF_PAGE_GUESSES = 5, HF_PAGE_GUESSERS = 16 };

struct hf_page_guesses {
    struct hf_page_guesser {
        uint64_t peer, until_ns;
        unsigned n;
    } of[HF_PAGE_GUESSERS];
};
bool hf_page_guesses_may(const struct hf_page_guesses *guesses, uint64_t peer, uint64_t now_mono_ns);
void hf_page_guesses_wrong(struct hf_page_guesses *guesses, uint64_t peer, uint64_t now_mono_ns);
