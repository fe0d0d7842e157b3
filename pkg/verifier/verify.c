/* SPDX-License-Identifier: Apache-2.0 */
#include "verifier/verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Copies at most `most` bytes, so that they are one word of a line. Returns their number. */
static size_t put_word(char *to, size_t most, const char *from)
{
    size_t n = 0;

    for (; n < most && from[n] != '\0'; n++)
        to[n] = from[n] > ' ' && from[n] < 0x7f ? from[n] : '?';
    return n;
}

size_t hf_verify_line(char *line, size_t n, uint64_t now_s, const char *digest, enum hf_image_verdict verdict,
                      const char *name)
{
    char what[HF_IMAGE_LIST_HEX + 8] = "-", who[HF_VERIFY_NAME] = "-";

    what[put_word(what, sizeof(what) - 1, digest)] = '\0';
    who[put_word(who, sizeof(who) - 1, name)] = '\0';
    int length = snprintf(line, n, "%ju %s %s %s\n", (uintmax_t)now_s, what[0] != '\0' ? what : "-",
                          hf_image_list_verdict_name(verdict), who[0] != '\0' ? who : "-");
    return length < 0 || (size_t)length >= n ? 0 : (size_t)length;
}

/* What cannot be written is lost: the refusal counts, not the note of it. */
static void note_refusal(const char *run_dir, const char *line, size_t n)
{
    char path[4096];
    struct stat st;

    if (n == 0 || snprintf(path, sizeof(path), "%s/" HF_VERIFY_REFUSALS, run_dir) >= (int)sizeof(path))
        return;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size + (off_t)n <= HF_VERIFY_MAX_REFUSALS &&
        write(fd, line, n) < 0)
        (void)fputs("holdfast-verify: the refusal could not be noted\n", stderr);
    (void)close(fd);
}

int hf_verify(const char *state_dir, const char *run_dir, const char *name, const char *digest)
{
    char path[4096], line[HF_VERIFY_NAME + 160];
    enum hf_image_verdict verdict = HF_IMAGE_LIST_UNREADABLE;
    struct hf_image_list list = {.n = 0};
    struct timespec now = {0};
    int fd = -1;

    /* A clock that cannot be read counts as `since`. */
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_s = now.tv_sec > 0 ? (uint64_t)now.tv_sec : 0;
    if (snprintf(path, sizeof(path), "%s/" HF_VERIFY_LIST, state_dir) < (int)sizeof(path))
        verdict = hf_image_list_open(path, geteuid(), &fd, &list);
    if (verdict == HF_IMAGE_ALLOWED)
        verdict = hf_image_list_judge(fd, &list, digest, now_s);
    if (fd >= 0)
        (void)close(fd);
    if (verdict != HF_IMAGE_ALLOWED)
        note_refusal(run_dir, line, hf_verify_line(line, sizeof(line), now_s, digest, verdict, name));
    bool known = list.n > 0;
    int said = printf("%s: %s%s%s\n", hf_image_list_verdict_name(verdict), hf_image_list_verdict_text(verdict),
                      known ? ": SyncPolicy " : "", known ? list.policy : "");
    /* An allowance that containerd cannot read is none. */
    return said < 0 || fflush(stdout) != 0 || verdict != HF_IMAGE_ALLOWED ? 1 : 0;
}
