/* SPDX-License-Identifier: Apache-2.0 */
/* base/banned.h - makes the compiler refuse libc functions that have a safer replacement. The build includes this
 * header in every file of pkg/ and cmd/ (option -include).
 *
 * This header includes the libc headers before the pragma, because after the pragma, the compiler refuses each use of
 * these names, even in a declaration. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
