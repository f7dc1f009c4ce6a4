/* sv57.S
 * ONLY 64 */
#define LEVELS 5
#define VBITS 9
#define MODE 10
#include "vm.inc"
