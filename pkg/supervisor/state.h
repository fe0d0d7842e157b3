/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of the agent's life on the host: the links in it, and their texts. Shared by the supervisor and the agent;
 * pure, libc only.
 *
 * <state>/host/
 *     current -> <slot>     the build that runs, or is on trial (current is not good). The update engine swaps it, the
 *                           supervisor falls back, only while no agent runs
 *     good -> <slot>        the last build that called itself healthy            (the supervisor's alone, as all below)
 *     previous -> <slot>    the healthy one before it
 *     verdict -> "Crashed <slot>"   the build that was given up last, and why; durable before `current` changes
 *     trial -> "2 <slot>"   how often the build on trial has ended, or hung, or was not healthy in time
 *
 * The last two are links, too, that lead nowhere: a link changes as a whole.
 * A slot is a folder with one build; its name is the text of the link, relative to this folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HF_HOST_DIR "host" /* below the agent's state folder */
#define HF_HOST_CURRENT "current"
#define HF_HOST_GOOD "good"
#define HF_HOST_PREVIOUS "previous"
#define HF_HOST_VERDICT "verdict"
#define HF_HOST_TRIAL "trial"
#define HF_HOST_AGENT "holdfast-agent" /* the program in a slot */
/* The folder of slots, as the trees of the release holdfast-agent: each is named by the SHA-256 of its archive. */
#define HF_HOST_BUILDS ".holdfast-holdfast-agent.tree"

/* The agent's end of the pipe to its supervisor, as a number. */
#define HF_HOST_FD_VARIABLE "HOLDFAST_SUPERVISOR_FD"
/* The slot that runs: not the one of `current` while the supervisor cannot write that link. */
#define HF_HOST_SLOT_VARIABLE "HOLDFAST_SUPERVISOR_SLOT"
/* The lines that it writes there. */
#define HF_HOST_SAYS_READY "ready\n"
#define HF_HOST_SAYS_ALIVE "alive\n"
#define HF_HOST_SAYS_HEALTHY "healthy\n"
#define HF_HOST_SAYS_RESTART "restart\n"

enum {
    HF_HOST_SLOT = 256, /* of a name, with the terminator */
    HF_HOST_NOTE = 384, /* of the text of a link, with the terminator */
    HF_HOST_ALIVE_S = 5,
    HF_HOST_HANG_S = 30,      /* silent for so long; three times as long before the first line */
    HF_HOST_DEADLINE_S = 180, /* for the first `healthy` of a build on trial */
    HF_HOST_TRIAL_ENDS = 3,
    HF_HOST_GOOD_ENDS = 5,    /* in a row, each within... */
    HF_HOST_GOOD_LIFE_S = 60, /* ... so long after its start */
    HF_HOST_WAIT_MAX_S = 60,
};

/* `verdict`: "NotExecutable", "Crashed", "Hung" or "Late", and the build that was given up. `trial`: how often a build
 * has ended, in digits, and which. */
struct hf_supervisor_note {
    char word[16];
    char slot[HF_HOST_SLOT];
};

/* Relative, normal, of letters, digits and "._+~-/". */
bool hf_supervisor_slot_is_valid(const char *slot);

/* The text of `verdict` or `trial`. False: damaged; *ret_note is then as before. */
bool hf_supervisor_note_parse(const char *text, struct hf_supervisor_note *ret_note);
