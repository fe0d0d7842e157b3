/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet as text. Pure; one at a time in a process. */
#pragma once

#include "base/buf.h"
#include "cli/ui/model.h"

enum hf_ui_sort { HF_UI_BY_STATE, HF_UI_BY_NAME, HF_UI_BY_SILENCE, HF_UI_SORTS };

enum { HF_UI_FIND = 64, HF_UI_SELECTED = 640, HF_UI_MAX_SCREEN_BYTES = 16 << 20 };

struct hf_ui_screen {
    const struct hf_ui_model *model;
    const json_t *state; /* hf_ui_follow_state()'s */
    int64_t now_unix_s;
    unsigned columns, lines; /* lines 0: all, once, for a file */
    bool colour;
    /* where the reader is */
    char find[HF_UI_FIND];
    bool typing; /* the filter */
    enum hf_ui_sort sort;
    char selected[HF_UI_SELECTED]; /* a row; "": the first */
    bool open;                     /* with details */
    unsigned scroll;               /* in details */
    int move;                      /* selection's, at the next draw */
};

/* Keyboard's bytes. False: quit. */
bool hf_ui_screen_input(struct hf_ui_screen *screen, const char *bytes, size_t n);

/* Appends `lines` lines of `columns` characters at most, no line end at last; moves the selection. -E2BIG. */
HF_MUST_USE int hf_ui_screen_draw(struct hf_ui_screen *screen, struct hf_buf *out);
