/** Two short tones, made by the browser: no sound file is loaded. */

import { useEffect, useState } from "./view.js";

export function chime() {
  try {
    const context = new AudioContext();
    [880, 1175].forEach((frequency, index) => {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const from = context.currentTime + index * 0.16;
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.18, from);
      volume.gain.exponentialRampToValueAtTime(0.001, from + 0.35);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(from + 0.4);
      tone.onended = () => index && context.close();
    });
  } catch {
    // No sound on this device.
  }
}

/** Whether the browser refuses sounds: it does until its person has touched or clicked the page, or pressed a key. */
export function useSilenced() {
  const [silenced, set] = useState(!(navigator.userActivation?.hasBeenActive ?? true));
  useEffect(() => {
    if (!silenced) return;
    const heard = () => set(!navigator.userActivation.hasBeenActive);
    const events = ["pointerup", "keyup"];
    for (const each of events) addEventListener(each, heard);
    return () => events.forEach((each) => removeEventListener(each, heard));
  }, [silenced]);
  return silenced;
}
