# Sourced: makes the stand-ins' clips and voices once, with the programs in $programs; their folder is $content.
content=$(setup_cache)/content-1
if [ ! -f "$content/complete" ]; then
  mkdir -p "$content"
  echo "demo: making two clips of 10 s in $content (830 MB)" >&2
  espeak-ng -v en-gb -s 150 -w "$content/host.speech.wav" \
    "Good morning, and thank you for coming. Before we begin, please tell me your full name and your date of birth. I can see you well; can you hear me clearly? Today we will go through the results of your blood test, and then talk about how you have been sleeping."
  espeak-ng -v en-us+f3 -s 160 -p 60 -w "$content/patient.speech.wav" \
    "Hello doctor, yes, I hear you very well. I am at home, nobody else is in the room, and it is quiet here. Since last week the headaches are much better, but in the evenings I still feel rather tired, and I wanted to ask whether that comes from the new tablets."
  for who in host patient; do
    "$programs/quietroom-content" "$content/$who.y4m" "$content/$who.wav" --variant "$who" --speech "$content/$who.speech.wav"
  done
  touch "$content/complete"
fi
# The same at half of each side, made only where it is asked for.
half=$content-half
if [ "${part:-}" = mesh ] && [ ! -f "$half/complete" ]; then
  mkdir -p "$half"
  for who in host patient; do
    "$programs/quietroom-content" "$half/$who.y4m" "$half/$who.wav" --half --variant "$who" --speech "$content/$who.speech.wav"
  done
  touch "$half/complete"
fi
