/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are found without their nodes in /dev. */
#include "node/devices.h"

#include "base/macros.h"
#include "os/fs_posix.h"
#include "support/board.h"
#include "support/check_main.h"

static const struct {
    const char *path;
    bool want;
} cases[] = {{"/dev/ttyUSB0", true},
             {"/dev/input/event0", true},
             {"/dev/mmcblk0", true},
             {"/dev/serial/by-id/usb-meter", true},
             {"/dev/serial/by-id/usb-mete", false},
             {"/dev/serial/by-id", false},
             {"/dev/ttyUSB", false},
             {"/dev/ttyUSB00", false},
             {"/dev/event0", false},
             {"/dev/", false},
             {"/dev/../etc", false},
             {"ttyUSB0", false},
             {"", false}};

START_TEST(by_name)
{
    char root[128];

    board_unpack("tests/unit/node/boards/devices.tree", root);
    struct hf_probe_root at = {hf_fs_posix(), root};
    ck_assert_msg(hf_devices_has(&at, cases[_i].path) == cases[_i].want, "'%s'", cases[_i].path);
    board_clean(root);
}
END_TEST

static void cases_of(TCase *tc)
{
    tcase_add_loop_test(tc, by_name, 0, HF_LEN(cases));
}

HF_TEST_MAIN("node/devices", cases_of)
