/** Whether a page is scrolled to its top: below it a list that grows at its top must not move under its reader. */

import { useEffect, useState } from "./view.js";

const TOP_PX = 150;

export function useAtTop() {
  const [atTop, set] = useState(scrollY < TOP_PX);
  useEffect(() => {
    const look = () => set(scrollY < TOP_PX);
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  return atTop;
}
