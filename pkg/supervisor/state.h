/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of the agent's life on the host: the links in it, and their texts. Shared by the supervisor and the agent;
 * pure, needs only libc.
 *
 * <state>/host/
 *     current -> <slot>     the build that runs, on trial if it is not `good`. The update engine changes this link, and
 *                           while no agent runs the supervisor, to fall back. Installation and supervisor set all
 *     good -> <slot>        the last build that called itself healthy, or the first
 *     previous -> <slot>    the build that was `good` before
 *     verdict -> "Crashed <slot>"   the build given up last, and why; durable before `current` changes
 *     trial -> "2 <slot>"   how often the build on trial has failed
 *
 * A slot is a folder with one build, named relative to this folder. `verdict` and `trial` lead nowhere: they are links
 * because a link changes as a whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HF_HOST_DIR "host"
#define HF_HOST_CURRENT "current"
#define HF_HOST_GOOD "good"
#define HF_HOST_PREVIOUS "previous"
#define HF_HOST_VERDICT "verdict"
#define HF_HOST_TRIAL "trial"
#define HF_HOST_AGENT "holdfast-agent"
/* The folder of slots: the trees of the release holdfast-agent, each named by the SHA-256 of its archive. */
#define HF_HOST_BUILDS ".holdfast-holdfast-agent.tree"

#define HF_HOST_FD_VARIABLE "HOLDFAST_SUPERVISOR_FD"
/* Names the slot that runs; the link `current` may differ. */
#define HF_HOST_SLOT_VARIABLE "HOLDFAST_SUPERVISOR_SLOT"
/* Lines that the agent writes to the pipe. */
#define HF_HOST_SAYS_READY "ready\n"
#define HF_HOST_SAYS_ALIVE "alive\n"
#define HF_HOST_SAYS_HEALTHY "healthy\n"
#define HF_HOST_SAYS_RESTART "restart\n"

enum {
    HF_HOST_SLOT = 256,
    HF_HOST_NOTE = 384,
    HF_HOST_ALIVE_S = 5,
    HF_HOST_HANG_S = 30,      /* an agent silent for so long hangs; three times as long before its first line */
    HF_HOST_DEADLINE_S = 180, /* time for the first `healthy` of a build on trial */
    HF_HOST_TRIAL_ENDS = 3,
    HF_HOST_GOOD_ENDS = 5,    /* a good build is given up after so many ends in a row, each last heard within... */
    HF_HOST_GOOD_LIFE_S = 60, /* ... so many seconds of its start */
    HF_HOST_WAIT_MAX_S = 60,
};

/* In `verdict`, `word` is "NotExecutable", "Crashed", "Hung" or "Late", and `slot` the build given up. In `trial`,
 * `word` is how often build `slot` has ended, in digits. */
struct hf_supervisor_note {
    char word[16];
    char slot[HF_HOST_SLOT];
};

/* Whether `slot` is a relative, normal path of letters, digits and "._+~-/". */
bool hf_supervisor_slot_is_valid(const char *slot);

/* Parses the text of `verdict` or `trial`. False: damaged; *ret_note is unchanged. */
bool hf_supervisor_note_parse(const char *text, struct hf_supervisor_note *ret_note);
